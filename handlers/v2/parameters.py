"""Parameters that several endpoints of the v2 API share."""

from typing import Annotated
from uuid import UUID

from chat.model.ids import MAX_ID, ConversationId, DeviceId, Seq
from handlers.http.parameters import Parameter, integer, text, uuid
from handlers.v2.schemas.ids import device_id

DEVICE_PARAMETER = Parameter(lambda _, value: device_id(value), {"type": "string", "pattern": "^[0-7][0-9a-f]{15}$"})

Name = Annotated[str, text()]  # a username; case is ignored
User = Annotated[UUID, uuid()]
Conversation = Annotated[ConversationId, uuid()]
Message = Annotated[str, text()]  # the id that a client gave it
Device = Annotated[DeviceId, DEVICE_PARAMETER]
EntrySeq = Annotated[Seq, integer(1, MAX_ID)]
POSITION = integer(0, MAX_ID)  # 0: before the first entry
Position = Annotated[Seq, POSITION]
FIRST = Seq(0)

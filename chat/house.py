"""All verbs of the house, as every door gets them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chat.accounts import Accounts
from chat.codes import Codes
from chat.conversations import Conversations
from chat.hub import Hub
from chat.invites import Invites
from chat.keys import Keys
from chat.limits import Limits
from chat.messages import Messages
from chat.pictures import Pictures


@dataclass(frozen=True)
class Chat:
    accounts: Accounts
    codes: Codes
    conversations: Conversations
    hub: Hub
    invites: Invites
    keys: Keys
    limits: Limits
    messages: Messages
    pictures: Pictures
    now: Callable[[], datetime]

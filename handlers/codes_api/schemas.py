"""Bodies and answers of the codes API, with the field names of its contract."""

from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from handlers.http.answers import Time

Code = Annotated[int, Meta(ge=0, le=65_535)]


class Register(Struct, frozen=True):
    username: str
    email: str
    password: str
    bio: str | None = None
    invite_code: str | None = None  # not in the contract: for servers whose registration requires an invite


class Login(Struct, frozen=True, rename="camel"):
    person: str
    password: str
    is_email: bool


class SignedIn(Struct, frozen=True):
    message: str
    id: int
    ok: bool = True


class Profile(Struct, frozen=True):
    email: str | None
    username: str
    bio: str | None
    created_at: Time
    updated_at: Time


class ProfileChanges(Struct, frozen=True):
    password: str
    username: str | None = None
    email: str | None = None
    bio: str | None = None
    new_password: str | None = None


class UpdatedFields(Struct, frozen=True, rename="camel"):
    updated_fields: list[str]


class CodeBody(Struct, frozen=True):
    code: Code


class CodeCreated(Struct, frozen=True):
    message: str
    code: int


class ConversationAnswer(Struct, frozen=True):
    message: str
    conversation_id: UUID | None


class MessageShown(Struct, frozen=True, rename="camel"):
    id: UUID
    content: str
    user_sent: str
    sent_at: Time


class MessagePage(Struct, frozen=True, rename="camel"):
    chats: list[MessageShown]
    next_cursor: Time | None
    has_more: bool


class MessageName(Struct, frozen=True, rename="camel"):
    conversation_id: UUID
    message_id: UUID


class MessageEdit(MessageName, frozen=True, rename="camel"):
    content: str


class Edited(Struct, frozen=True, rename="camel"):
    message: str
    edited_at: Time


class Done(Struct, frozen=True):
    message: str

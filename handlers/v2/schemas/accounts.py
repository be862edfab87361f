"""Bodies and answers about accounts."""

from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from chat.model.accounts import Person, SessionShown
from chat.model.ids import MAX_ID
from handlers.http.answers import Time
from handlers.v2.schemas.ids import hex_of


class Server(Struct, frozen=True):
    version: str
    registration: str
    motd: str


class Register(Struct, frozen=True):
    username: str
    password: str
    invite_code: str | None = None
    email: str | None = None


class LogIn(Struct, frozen=True):
    username: str
    password: str


class LoggedIn(Struct, frozen=True):
    token: str
    user: "UserShown"


class Renewed(Struct, frozen=True):
    token: str
    expires_at: Time


class UserShown(Struct, frozen=True, omit_defaults=True):
    id: UUID
    username: str
    bio: str | None = None
    picture: str | None = None  # its version

    @classmethod
    def of(cls, person: Person) -> "UserShown":
        """Show an account to another account."""
        return cls(person.uuid, person.username, person.bio, person.picture_version)


class Me(Struct, frozen=True):
    id: UUID
    username: str
    email: str | None
    bio: str | None
    role: str
    invited_by: UserShown | None
    picture: str | None


class Profile(Struct, frozen=True):
    bio: str


class Password(Struct, frozen=True):
    password: str


class NewPassword(Struct, frozen=True):
    password: str
    new_password: str


class Picture(Struct, frozen=True):
    image: bytes


class Code(Struct, frozen=True):
    code: Annotated[int, Meta(ge=0, le=MAX_ID)]


class CodeShown(Struct, frozen=True):
    code: int
    expires_at: Time


class InviteShown(Struct, frozen=True):
    code: str
    expires_at: Time


class Session(Struct, frozen=True):
    id: UUID
    created_at: Time
    expires_at: Time
    device: str | None
    current: bool

    @classmethod
    def of(cls, one: SessionShown, current: UUID) -> "Session":
        """Show a session; `current` is the id of the session that asks."""
        device = hex_of(one.device_id) if one.device_id is not None else None
        return cls(one.id, one.created_at, one.expires_at, device, one.id == current)

"""Accounts, sessions, invites and chat codes. All times are aware and in UTC."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from chat.model.ids import DeviceId, SessionId, UserId

Role = Literal["user", "tester", "admin"]


class Username(Struct, frozen=True):
    """A normalised username."""

    name: str
    key: str  # unique: the case-folded name, RFC 8265 section 3.3


class Account(Struct, frozen=True):
    """An account, as its owner sees it."""

    id: UserId
    username: str
    email: str | None
    role: Role
    bio: str | None
    created_at: datetime
    updated_at: datetime
    uuid: UUID  # the id of the account in the v2 API


class Credentials(Struct, frozen=True):
    """The password hash of an account."""

    id: UserId
    password_hash: str


class NewAccount(Struct, frozen=True):
    """An account to be created."""

    username: Username
    password_hash: str
    email: str | None = None
    bio: str | None = None
    role: Role = "user"


class AccountChanges(Struct, frozen=True):
    """New values; None leaves a field unchanged."""

    username: Username | None = None
    email: str | None = None
    bio: str | None = None
    password_hash: str | None = None

    @property
    def names(self) -> list[str]:
        """The names of the changed fields, in their order."""
        return [name.removesuffix("_hash") for name in self.__struct_fields__ if getattr(self, name) is not None]


class Session(Struct, frozen=True):
    """An authenticated session and its account."""

    id: SessionId
    account: Account
    device_id: DeviceId | None = None  # the device that the session is bound to (v2 API)


class ChatCode(Struct, frozen=True):
    """A chat code that can still be used."""

    code: int
    expires_at: datetime


class Invite(Struct, frozen=True):
    """An invite; only one account can register with it."""

    code: str
    created_by: UserId | None
    created_at: datetime
    expires_at: datetime
    used_by: UserId | None = None


class InviteHistory(Struct, frozen=True):
    """The facts by which an account may create an invite or not."""

    role: Role
    made: int
    last_made_at: datetime | None
    active: bool  # an invite of the account is neither used nor expired
    partners: int  # number of accounts that it has chatted with


class Person(Struct, frozen=True):
    """The public part of an account."""

    id: UserId
    uuid: UUID
    username: str
    bio: str | None = None
    picture_version: str | None = None  # None: no picture


class SessionShown(Struct, frozen=True):
    """A session in the list of an account's sessions."""

    id: SessionId
    created_at: datetime
    expires_at: datetime
    device_id: DeviceId | None

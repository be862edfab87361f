"""Accounts, sessions, invites and chat codes. Times are aware and in UTC."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from chat.model.ids import DeviceId, SessionId, UserId

Role = Literal["user", "tester", "admin"]


class Username(Struct, frozen=True):
    name: str
    key: str  # what makes it unique: case-folded, RFC 8265 section 3.3


class Account(Struct, frozen=True):
    id: UserId
    username: str
    email: str | None
    role: Role
    bio: str | None
    created_at: datetime
    updated_at: datetime
    uuid: UUID  # what the sealed door calls it


class Credentials(Struct, frozen=True):
    id: UserId
    password_hash: str


class NewAccount(Struct, frozen=True):
    username: Username
    password_hash: str
    email: str | None = None
    bio: str | None = None
    role: Role = "user"


class AccountChanges(Struct, frozen=True):
    """None means: leave as it is."""

    username: Username | None = None
    email: str | None = None
    bio: str | None = None
    password_hash: str | None = None

    @property
    def names(self) -> list[str]:
        """Names of what changes, in the order of the fields."""
        return [name.removesuffix("_hash") for name in self.__struct_fields__ if getattr(self, name) is not None]

    @property
    def is_seen(self) -> bool:
        """By others."""
        return self.username is not None or self.bio is not None


class Session(Struct, frozen=True):
    id: SessionId
    account: Account
    device_id: DeviceId | None = None  # that it speaks for, at the sealed door


class ChatCode(Struct, frozen=True):
    code: int
    expires_at: datetime


class Invite(Struct, frozen=True):
    code: str
    created_by: UserId | None
    created_at: datetime
    expires_at: datetime
    used_by: UserId | None = None


class InviteHistory(Struct, frozen=True):
    """What the rule for new invites looks at."""

    role: Role
    made: int
    last_made_at: datetime | None
    active: bool  # one is neither used nor expired
    partners: int  # how many accounts this one has chatted with


class Person(Struct, frozen=True):
    """Somebody as others see them."""

    id: UserId
    uuid: UUID
    username: str
    bio: str | None = None
    picture_version: str | None = None  # None: no picture


class SessionShown(Struct, frozen=True):
    id: SessionId
    created_at: datetime
    expires_at: datetime
    device_id: DeviceId | None

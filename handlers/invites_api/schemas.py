"""Bodies and answers of the invites API, with the field names of its contract."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from chat.model.ids import MAX_ID

Id = Annotated[int, Meta(ge=0, le=MAX_ID)]


class Motd(Struct, frozen=True):
    motd: str


class Version(Struct, frozen=True):
    ver: str


class Register(Struct, frozen=True):
    username: str
    password: str
    invite_code: str


class Registered(Struct, frozen=True):
    user_id: int


class Login(Struct, frozen=True):
    username: str
    password: str


class LoggedIn(Struct, frozen=True):
    token: str


class UsernameAnswer(Struct, frozen=True):
    username: str


class Me(Struct, frozen=True):
    id: int
    username: str


class Picture(Struct, frozen=True):
    profile_picture: str | Literal[False]


class Upload(Struct, frozen=True):
    image: str


class Success(Struct, frozen=True):
    success: bool = True


class InviteMade(Struct, frozen=True):
    invite_code: str


class KeyStarted(Struct, frozen=True):
    aes_key: str
    reset: bool


class KeyChecked(Struct, frozen=True, omit_defaults=True):
    new_key: bool
    aes_key: str | UnsetType = UNSET


class Send(Struct, frozen=True):
    receiver_id: Id
    message: str


class Sent(Struct, frozen=True):
    message_id: int


class MessageShown(Struct, frozen=True):
    id: int
    sender_id: int
    sender_username: str
    receiver_id: int
    receiver_username: str
    message: str
    timestamp: str


class Updates(Struct, frozen=True):
    notification_data: str
    all_messages: int


class SenderShown(Struct, frozen=True):
    sender_id: int
    username: str


class Senders(Struct, frozen=True):
    updates: list[SenderShown]


def local_timestamp(moment: datetime) -> str:
    """Format as `1/18/2026, 10:30:00 AM` in the server's time zone. Clients of this API show it unchanged."""
    local = moment.astimezone()
    hour = local.hour % 12 or 12
    half = "AM" if local.hour < 12 else "PM"
    return f"{local.month}/{local.day}/{local.year}, {hour}:{local:%M:%S} {half}"


def notification(names: list[str]) -> str:
    """Format the senders of new messages: `Alice, Bob, and Charlie sent you a new message`."""
    if not names:
        return ""
    who = " and ".join(names) if len(names) <= 2 else f"{', '.join(names[:-1])}, and {names[-1]}"
    return f"{who} sent you a new message"

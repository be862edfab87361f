"""Bodies and answers about encrypted conversations."""

from typing import Literal
from uuid import UUID

from msgspec import Struct

from chat.model.groups import CommitBundle, EncryptedConversation
from chat.model.messages import Entry
from handlers.http.answers import Time
from handlers.v2.schemas.ids import Id, Number


class NewConversation(Struct, frozen=True):
    id: UUID
    commit: bytes
    group_info: bytes
    welcome: bytes | None = None

    @property
    def bundle(self) -> CommitBundle:
        """The first commit. It has no `read`, because the log is empty."""
        return CommitBundle(self.commit, self.welcome, self.group_info)


class NewCommit(Struct, frozen=True):
    commit: bytes
    group_info: bytes
    read: Number
    welcome: bytes | None = None

    @property
    def bundle(self) -> CommitBundle:
        """The commit, with the seq up to which the committer has read the log."""
        return CommitBundle(self.commit, self.welcome, self.group_info, self.read)


class Accepted(Struct, frozen=True):
    seq: int
    epoch: int  # the new one
    at: Time

    @classmethod
    def of(cls, entry: Entry) -> "Accepted":
        """Show the entry of a commit to its committer. The commit's own epoch ends with it."""
        assert entry.encrypted is not None
        return cls(entry.seq, entry.encrypted.epoch + 1, entry.sent_at)


class NewMessage(Struct, frozen=True):
    id: Id
    epoch: Number
    data: bytes


class GroupInfo(Struct, frozen=True):
    epoch: int
    group_info: bytes


class RemovalsShown(Struct, frozen=True):
    devices: list[str]
    unused: list[str]


class MemberShown(Struct, frozen=True, omit_defaults=True):
    id: UUID
    username: str
    role: str
    picture: str | None = None  # its version


class ConversationShown(Struct, frozen=True, omit_defaults=True):
    id: UUID
    epoch: int
    last_seq: int
    state: str
    members: list[MemberShown]
    commit_hash: bytes | None = None  # SHA-256 of the commit that began the epoch

    @classmethod
    def of(cls, one: EncryptedConversation) -> "ConversationShown":
        """Show a conversation and its members to one of them."""
        members = [
            MemberShown(member.uuid, member.username, member.role, member.picture_version) for member in one.members
        ]
        return cls(one.id, one.epoch, one.last_seq, one.state, members, one.commit_hash)


class NewState(Struct, frozen=True):
    state: Literal["joined", "ignored"]


class NewRole(Struct, frozen=True):
    role: Literal["owner", "admin", "member"]


class Seen(Struct, frozen=True):
    seq: Number


class WelcomeShown(Struct, frozen=True, tag="welcome"):
    conversation: UUID
    seq: int  # acknowledge it once the welcome is processed; the log goes on after it
    data: bytes | None

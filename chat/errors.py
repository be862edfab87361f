"""The errors that the server reports to clients.

ChatError
├── Invalid 400             InvalidBody, SelfChat, TooManyCodes, InvalidCredentials, BadInvite, BadFrame, WrongGroup
├── Unauthenticated 401
├── Forbidden 403           ForeignOrigin, InviteRefused, RegistrationClosed, NoDevice, NotALeaf, NotAllowed, NotListed,
│                           NotYours
├── NotFound 404            NoSuchUser, NoSuchCode, NoSuchMessage, NoSuchConversation, NoSuchDevice,
│                           NoSuchSession, NoSuchInvite, NoDeviceList
├── Conflict 409            Taken, IdTaken, ConversationExists, StaleEpoch, CommitNeeded, UnreadMessages,
│                           UnknownKeyPackage, TreeDiffers, StaleDeviceList, AccountKeyExists
├── TooMany 429
└── Unavailable 503         Busy

Each class has a machine-readable `code` and an HTTP status; each API renders them in its own format. The server logs
any other exception and answers 500. docs/PROTOCOL.md tells a client what to do about each code.
"""

from chat.model.ids import ConversationId


class ChatError(Exception):
    code, status = "error", 400
    retry_after_s: float | None = None


class Invalid(ChatError):
    code, status = "invalid", 400


class InvalidBody(Invalid):
    """The body is not JSON, so its fields were not validated."""

    code = "invalid_body"


class SelfChat(Invalid):
    code = "self_chat"


class TooManyCodes(Invalid):
    code = "too_many_codes"


class InvalidCredentials(Invalid):
    code = "invalid_credentials"


class BadInvite(Invalid):
    code = "bad_invite"


class BadFrame(Invalid):
    """A malformed or inconsistent MLS message, or one with a wrong signature. The client must not retry it."""

    code = "bad_frame"


class WrongGroup(Invalid):
    """An MLS message of another conversation's group."""

    code = "wrong_group"


class Unauthenticated(ChatError):
    code, status = "unauthenticated", 401


class Forbidden(ChatError):
    code, status = "forbidden", 403


class ForeignOrigin(Forbidden):
    code = "foreign_origin"


class InviteRefused(Forbidden):
    code = "invite_refused"


class RegistrationClosed(Forbidden):
    code = "registration_closed"


class NoDevice(Forbidden):
    """The session is not bound to a device: register one first."""

    code = "no_device"


class NotALeaf(Forbidden):
    """The device holds no leaf of this group. A device of a member joins by an external commit."""

    code = "not_a_leaf"


class NotAllowed(Forbidden):
    """The member's role does not allow it."""

    code = "not_allowed"


class NotListed(Forbidden):
    """The account key has not listed the device, which therefore joins no group."""

    code = "not_listed"


class NotYours(Forbidden):
    """The object belongs to another account."""

    code = "not_yours"


class NotFound(ChatError):
    code, status = "not_found", 404


class NoSuchUser(NotFound):
    code = "no_such_user"


class NoSuchCode(NotFound):
    code = "no_such_code"


class NoSuchMessage(NotFound):
    code = "no_such_message"


class NoSuchConversation(NotFound):
    code = "no_such_conversation"


class NoSuchDevice(NotFound):
    code = "no_such_device"


class NoSuchSession(NotFound):
    code = "no_such_session"


class NoSuchInvite(NotFound):
    code = "no_such_invite"


class NoDeviceList(NotFound):
    """The account has no account key: its client does not support them, or no client has made one yet."""

    code = "no_device_list"


class Conflict(ChatError):
    code, status = "conflict", 409


class Taken(Conflict):
    code = "taken"


class IdTaken(Conflict):
    """Another message of the same sender has this client-made id."""

    code = "id_taken"


class ConversationExists(Conflict):
    code = "conversation_exists"

    def __init__(self, conversation_id: ConversationId) -> None:
        super().__init__("You already have a conversation with this user")
        self.conversation_id = conversation_id


class StaleEpoch(Conflict):
    """Another commit has ended this epoch: read the log, then retry."""

    code = "stale_epoch"


class CommitNeeded(Conflict):
    """A member left or a device was revoked: remove its leaves by a commit, then retry."""

    code = "commit_needed"


class UnknownKeyPackage(Conflict):
    """The account has not claimed this key package, or it was used already: claim another one."""

    code = "unknown_key_package"


class TreeDiffers(Conflict):
    """The group info contains another tree than the commit results in: read the log, then retry."""

    code = "tree_differs"


class UnreadMessages(Conflict):
    """The removed member has sent messages that the remover has not read, and could not read after the removal.

    Read the log, then retry. Until then the server accepts no further messages of that member.
    """

    code = "unread_messages"


class StaleDeviceList(Conflict):
    """A list with this counter or a higher one is stored: read it, then sign a newer one."""

    code = "stale_device_list"


class AccountKeyExists(Conflict):
    """The account has another account key. Only the account's password replaces it."""

    code = "account_key_exists"


class TooMany(ChatError):
    code, status = "too_many", 429

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Unavailable(ChatError):
    """The database is unavailable or the server is stopping; nothing was stored."""

    code, status = "unavailable", 503
    retry_after_s = 2.0


class Busy(Unavailable):
    """A bounded queue is full; retry with jitter."""

    code = "busy"
    retry_after_s = 1.0

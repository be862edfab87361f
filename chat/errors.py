"""Every error that a client can cause or must react to:

ChatError
├── Invalid 400             InvalidBody, SelfChat, TooManyCodes, InvalidCredentials, BadInvite, BadFrame, WrongGroup
├── Unauthenticated 401
├── Forbidden 403           ForeignOrigin, InviteRefused, RegistrationClosed, NoDevice, NotALeaf, NotAllowed, NotYours
├── NotFound 404            NoSuchUser, NoSuchCode, NoSuchMessage, NoSuchConversation, NoSuchDevice,
│                           NoSuchSession, NoSuchInvite
├── Conflict 409            Taken, IdTaken, ConversationExists, StaleEpoch, CommitNeeded, UnreadMessages,
│                           UnknownKeyPackage, TreeDiffers
├── TooMany 429
└── Unavailable 503         Busy

Each has a machine-readable `code` and an HTTP status; the doors render them. Anything else is a logged 500.
"""

from chat.model.ids import ConversationId


class ChatError(Exception):
    code, status = "error", 400
    retry_after_s: float | None = None


class Invalid(ChatError):
    code, status = "invalid", 400


class InvalidBody(Invalid):
    """Not readable at all, before any rule looked at it."""

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
    """No frame of MLS, or one that is not by whom it says. The client has a bug, or is none."""

    code = "bad_frame"


class WrongGroup(Invalid):
    """A frame of another conversation's group."""

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
    """This session speaks for no device: register one first."""

    code = "no_device"


class NotALeaf(Forbidden):
    """The device is not in this group: join it by an external commit, if the account is a member."""

    code = "not_a_leaf"


class NotAllowed(Forbidden):
    """The member's role does not allow it."""

    code = "not_allowed"


class NotYours(Forbidden):
    """Known account, somebody else's thing."""

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


class Conflict(ChatError):
    code, status = "conflict", 409


class Taken(Conflict):
    code = "taken"


class IdTaken(Conflict):
    """The client-made id of a message, by another message of the same sender."""

    code = "id_taken"


class ConversationExists(Conflict):
    code = "conversation_exists"

    def __init__(self, conversation_id: ConversationId) -> None:
        super().__init__("You already have a conversation with this user")
        self.conversation_id = conversation_id


class StaleEpoch(Conflict):
    """Somebody else's commit came first: read the log, then do it again."""

    code = "stale_epoch"


class CommitNeeded(Conflict):
    """A member left or a device was revoked: remove its leaves by a commit, then do it again."""

    code = "commit_needed"


class UnknownKeyPackage(Conflict):
    """It was never claimed by this account, or was used already: claim another one."""

    code = "unknown_key_package"


class TreeDiffers(Conflict):
    """The group info shows another tree than the one that this commit leads to: read the log, then do it again."""

    code = "tree_differs"


class UnreadMessages(Conflict):
    """Who is to be removed has said something that the remover has not read, and after the removal could not: read the
    log, then do it again. They cannot say more meanwhile.
    """

    code = "unread_messages"


class TooMany(ChatError):
    code, status = "too_many", 429

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Unavailable(ChatError):
    """The database is away, or the server is stopping; nothing was kept."""

    code, status = "unavailable", 503
    retry_after_s = 2.0


class Busy(Unavailable):
    """A bounded queue is full; the client retries with jitter."""

    code = "busy"
    retry_after_s = 1.0

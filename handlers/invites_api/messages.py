"""Messages between two accounts: send, read, and hear of new ones."""

from tornado.iostream import StreamClosedError

from chat.direct.messages import check_content
from chat.errors import Invalid, NoSuchUser
from chat.limits import MESSAGES
from chat.model.accounts import Account
from chat.model.ids import MAX_ID, UserId
from chat.model.messages import Draft, Page
from handlers.http.base import Handler, encode, number
from handlers.invites_api.wire import (
    MessageShown,
    Send,
    Senders,
    SenderShown,
    Sent,
    Updates,
    local_timestamp,
    notification,
)

PAGE = 50
RETRY_ID_MAX_CHARS = 200


class MessagesHandler(Handler):
    async def post(self) -> None:
        account = await self.account()
        wanted = self.body(Send)
        if not wanted.message:
            raise Invalid("message must not be empty")
        check_content(wanted.message)  # before anything is counted or made for it
        retry_id = self.retry_id()
        await self.services.limits.hit(MESSAGES, f"account:{account.id}", self.services.now())
        conversation_id = await self.services.conversations.open(account, UserId(wanted.receiver_id))
        entry = await self.services.messages.send(Draft(conversation_id, account.id, wanted.message, retry_id))
        self.reply(Sent(entry.id))

    async def get(self) -> None:
        account = await self.account()
        page = number("page", self.query("page") or "1", 1, MAX_ID // PAGE)
        await reply_with_messages(self, account, skip=(page - 1) * PAGE, limit=PAGE)

    def retry_id(self) -> str | None:
        """Beyond the contract: a client that repeats a request with the same `Idempotency-Key` sends only once."""
        given = self.request.headers.get("Idempotency-Key")
        if given is None:
            return None
        if not (given.isascii() and given.isprintable() and 0 < len(given) <= RETRY_ID_MAX_CHARS):
            raise Invalid(f"Idempotency-Key must be 1 to {RETRY_ID_MAX_CHARS} printable ASCII characters")
        return given


class AllMessagesHandler(Handler):
    async def get(self) -> None:
        await reply_with_messages(self, await self.account(), skip=0, limit=MAX_ID)


class UpdatesHandler(Handler):
    async def get(self) -> None:
        news = await self.services.messages.take_news(await self.account())
        self.reply(Updates(notification([sender.username for sender in news]), len(news)))


class NewMessagesHandler(Handler):
    async def get(self) -> None:
        senders = await self.services.messages.senders(await self.account())
        self.reply(Senders([SenderShown(sender.user_id, sender.username) for sender in senders]))


async def reply_with_messages(handler: Handler, account: Account, skip: int, limit: int) -> None:
    """A JSON array, written in parts: a whole conversation need not fit into memory, and waits for a slow reader."""
    other_id = handler.query_id("user_id")
    conversation = await handler.services.conversations.between(account, other_id)
    if conversation is None:
        handler.reply([])
        return
    try:
        other = await handler.services.accounts.get(other_id)
    except NoSuchUser:
        handler.reply([])
        return
    start = b"["
    async for page in handler.services.messages.pages(conversation, skip, limit):
        if page.messages:
            handler.write(start + encode(_shown(page, account, other))[1:-1])
            start = b","
        if page.more:
            try:
                await handler.flush()
            except StreamClosedError:
                return
    handler.finish(b"[]" if start == b"[" else b"]")


def _shown(page: Page, account: Account, other: Account) -> list[MessageShown]:
    return [
        MessageShown(
            id=message.id,
            sender_id=message.sender_id,
            sender_username=message.sender,
            receiver_id=other.id if message.sender_id == account.id else account.id,
            receiver_username=other.username if message.sender_id == account.id else account.username,
            message=message.content,
            timestamp=local_timestamp(message.sent_at),
        )
        for message in page.messages
    ]

"""/api/chats/ws: the messages of one direct conversation as plain text frames.

The socket sends every message of the other participant from the connect on. Each text frame that is not blank is queued
as a message. If the write queue or the account's quota is full, the socket reads nothing more until the message is
queued. After BUSY_S it closes with 1013. It closes too if a queued message could not be stored, because the contract
has no frame for errors.
"""

import asyncio
import logging

from chat.errors import ChatError, Invalid, Unavailable
from chat.model.accounts import Account
from chat.model.ids import ConversationId
from chat.model.messages import MAX_CONTENT_CHARS, Conversation, Draft, Entry
from handlers.codes_api.base import CodesErrors, conversation_of
from handlers.http.parameters import parse_uuid
from handlers.websocket.frames import POLICY, TOO_BIG, TRY_LATER, UNSUPPORTED, text_frame
from handlers.websocket.socket import Socket

log = logging.getLogger("sottovoce.codes")

BUSY_S = 5.0  # how long a message waits for space in a full queue
RETRY_S = 0.05  # between two attempts to queue a message


class ChatSocket(CodesErrors, Socket):
    """A socket of one conversation."""

    account_: Account
    conversation_: Conversation

    async def prepare(self) -> None:
        """Find the conversation of `chatId`. Raises Invalid, NotYours, and as `Socket.prepare` does."""
        await super().prepare()
        self.account_ = self.session_.account
        chat_id = self.query("chatId")
        if chat_id is None:
            raise Invalid("chatId is missing")
        conversation_id = ConversationId(parse_uuid("chatId", chat_id))
        self.conversation_ = await conversation_of(self.services, self.account_, conversation_id)
        self.connections.admit(self.account_.id)

    async def opened(self) -> None:
        """Subscribe after the last entry of the conversation. Closes with 1013 if the database is unavailable."""
        try:
            await self.services.hub.subscribe(self, self.conversation_.id, self.conversation_.last_seq)
        except Unavailable:
            self.close(TRY_LATER, "database unavailable")
        except BaseException:
            self.on_close()  # tornado does not call it for a socket that did not open
            raise

    def ended(self) -> None:
        """Unsubscribe from the conversation."""
        self.services.hub.unsubscribe(self, self.conversation_.id)

    def push(self, entry: Entry) -> None:
        """Send a committed entry as a text frame, unless this account is its sender. Never waits."""
        if entry.sender_id != self.account_.id and self.send_buffer is not None:
            self.send_buffer.send(text_frame(entry.content))

    def on_message(self, text: str | bytes) -> "asyncio.Future[None] | None":
        """Queue the message. Returns a future if it must wait; the next message is read once the future is done."""
        if self.ws_is_closing():
            pass  # the close frame is on its way
        elif isinstance(text, bytes):
            self.close(UNSUPPORTED, "text frames only")
        elif len(text) > MAX_CONTENT_CHARS:
            self.close(TOO_BIG, f"at most {MAX_CONTENT_CHARS} characters")
        elif not text.isspace() and text:
            draft = Draft(self.conversation_.id, self.account_.id, text)
            if not (self.quota.has_room and self._submit(draft)):
                return asyncio.ensure_future(self._submit_waiting(draft))
        return None

    def _submit(self, draft: Draft) -> bool:
        """Queue the draft; return False if the queue is full or unavailable."""
        try:
            self.services.messages.submit(draft, self._settled)
        except Invalid as error:
            log.info("ignoring a message: %s", error)  # the contract has no frame for errors
        except Unavailable:
            return False
        else:
            self.quota.submitted()
        return True

    async def _submit_waiting(self, draft: Draft) -> None:
        try:
            async with asyncio.timeout(BUSY_S):
                if not self.quota.has_room:
                    await self.quota.turn()
                while not self.ws_is_closing() and not self._submit(draft):
                    await asyncio.sleep(RETRY_S)  # other senders have filled the queue
        except TimeoutError:
            self.close(TRY_LATER, "server is busy")
        finally:
            self.quota.next()

    def _settled(self, result: Entry | ChatError) -> None:
        self.quota.settled()
        if isinstance(result, ChatError):
            # Without an answer the sender would take the message for stored.
            self.close(TRY_LATER if isinstance(result, Unavailable) else POLICY, result.code)

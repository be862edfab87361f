"""/api/chats/ws: plain text in, plain text out."""

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

PATIENCE_S = 5.0  # how long a full queue is waited for
RETRY_S = 0.05


class ChatSocket(CodesErrors, Socket):
    account_: Account
    conversation_: Conversation

    async def prepare(self) -> None:
        await super().prepare()
        self.session_ = await self.session()
        self.account_ = self.session_.account
        chat_id = self.query("chatId")
        if chat_id is None:
            raise Invalid("chatId is missing")
        conversation_id = ConversationId(parse_uuid("chatId", chat_id))
        self.conversation_ = await conversation_of(self.services, self.account_, conversation_id)
        self.connections.admit(self.account_.id)

    async def opened(self) -> None:
        try:
            await self.services.hub.subscribe(self, self.conversation_.id, self.conversation_.last_seq)
        except Unavailable:
            self.close(TRY_LATER, "database unavailable")
        except BaseException:
            self.on_close()  # tornado does not call it for a socket that did not open
            raise

    def ended(self) -> None:
        self.services.hub.unsubscribe(self, self.conversation_.id)

    def push(self, entry: Entry) -> None:
        if entry.sender_id != self.account_.id and self.send_buffer is not None:
            self.send_buffer.send(text_frame(entry.content))

    def on_message(self, text: str | bytes) -> "asyncio.Future[None] | None":
        """Returns a future where the socket has to wait; until it is done the next message is not read."""
        if self.ws_is_closing():
            pass  # we have said goodbye, the client has not heard it yet
        elif isinstance(text, bytes):
            self.close(UNSUPPORTED, "text frames only")
        elif len(text) > MAX_CONTENT_CHARS:
            self.close(TOO_BIG, f"at most {MAX_CONTENT_CHARS} characters")
        elif not text.isspace() and text:
            draft = Draft(self.conversation_.id, self.account_.id, text)
            if not (self.quota.has_room and self._submit(draft)):
                return asyncio.ensure_future(self._submit_patiently(draft))
        return None

    def _submit(self, draft: Draft) -> bool:
        """False if the queue does not take it now."""
        try:
            self.services.messages.submit(draft, self._settled)
        except Invalid as error:
            log.info("ignoring a message: %s", error)  # the contract has no frame for errors
        except Unavailable:
            return False
        else:
            self.quota.submitted()
        return True

    async def _submit_patiently(self, draft: Draft) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                if not self.quota.has_room:
                    await self.quota.turn()
                while not self.ws_is_closing() and not self._submit(draft):
                    await asyncio.sleep(RETRY_S)  # others have filled the queue
        except TimeoutError:
            self.close(TRY_LATER, "server is busy")
        finally:
            self.quota.next()

    def _settled(self, result: Entry | ChatError) -> None:
        self.quota.settled()
        if isinstance(result, ChatError):
            # The sender shall not believe that this one arrived.
            self.close(TRY_LATER if isinstance(result, Unavailable) else POLICY, result.code)

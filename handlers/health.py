"""Is it well?"""

from collections.abc import Callable

from chat.errors import Unavailable
from chat.house import Chat
from handlers.base import DoorSettings, Handler


class ReadyHandler(Handler):
    """For a load balancer: 200 while this process can store messages, 503 while it cannot.

    And for the curious: the longest turn of its event loop in the last minute or two.
    """

    def initialize(self, chat: Chat, door: DoorSettings, worst_stall_ms: Callable[[], float]) -> None:  # type: ignore[override]
        super().initialize(chat, door)
        self.worst_stall_ms = worst_stall_ms

    def get(self) -> None:
        if not self.chat.messages.are_taken:
            raise Unavailable("The database is not available")
        self.reply({"status": "ok", "worst_stall_ms": self.worst_stall_ms()})

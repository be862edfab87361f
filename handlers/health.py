"""Is it well?"""

from chat.errors import Unavailable
from handlers.base import Handler


class ReadyHandler(Handler):
    """For a load balancer: 200 while this process can store messages, 503 while it cannot."""

    def get(self) -> None:
        if not self.chat.messages.are_taken:
            raise Unavailable("The database is not available")
        self.reply({"status": "ok"})

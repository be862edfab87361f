"""Is it well?"""

from collections.abc import Callable

from chat.errors import Unavailable
from chat.services import Services
from handlers.http.base import ApiSettings, Handler


class ReadyHandler(Handler):
    """For a load balancer: 200 while this process can store messages, 503 while it cannot.

    And for the curious: the longest turn of its event loop in the last minute or two.
    """

    def initialize(self, services: Services, api: ApiSettings, worst_loop_lag_ms: Callable[[], float]) -> None:  # type: ignore[override]
        super().initialize(services, api)
        self.worst_loop_lag_ms = worst_loop_lag_ms

    def get(self) -> None:
        if not self.services.messages.are_taken:
            raise Unavailable("The database is not available")
        self.reply({"status": "ok", "worst_loop_lag_ms": self.worst_loop_lag_ms()})

"""/healthz: readiness."""

from collections.abc import Callable

from chat.services import Services
from handlers.http.base import ApiSettings, Handler


class ReadyHandler(Handler):
    """Answers 200 while this process can store messages, 503 otherwise; for load balancers.

    `worst_loop_lag_ms` is the longest delay of the event loop in the last one to two minutes.
    """

    def initialize(self, services: Services, api: ApiSettings, worst_loop_lag_ms: Callable[[], float]) -> None:  # type: ignore[override]
        """Store the source of the loop lag, beside what every handler has."""
        super().initialize(services, api)
        self.worst_loop_lag_ms = worst_loop_lag_ms

    def get(self) -> None:
        """Answer 200 with the loop lag in milliseconds. Raises Unavailable if the write queue is not open."""
        self.services.messages.check_available()
        self.reply({"status": "ok", "worst_loop_lag_ms": self.worst_loop_lag_ms()})

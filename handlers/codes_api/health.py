"""/api/health: the codes API's own word for it."""

from contextlib import suppress

from chat.errors import Unavailable
from handlers.codes_api.base import CodesHandler


class HealthHandler(CodesHandler):
    async def prepare(self) -> None:
        """Limited like its neighbours, but it says that the process runs also while the database is away."""
        with suppress(Unavailable):
            await super().prepare()

    def get(self) -> None:
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        self.finish("ok :)")

"""/api/health: the codes API's own word for it."""

from handlers.codes.base import CodesHandler


class HealthHandler(CodesHandler):
    def get(self) -> None:
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        self.finish("ok :)")

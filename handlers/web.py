"""The files of `web/`, as they are."""

from pathlib import Path

from tornado.web import HTTPError, StaticFileHandler

from chat.house import Chat
from handlers.base import DoorSettings, Handler

FOLDER = Path(__file__).parent.parent / "web"
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class WebHandler(Handler, StaticFileHandler):
    def initialize(self, chat: Chat, door: DoorSettings) -> None:  # type: ignore[override]
        Handler.initialize(self, chat, door)
        StaticFileHandler.initialize(self, str(FOLDER), "index.html")

    async def get(self, path: str | None = None, include_body: bool = True) -> None:
        if path is not None and "\0" in path:
            raise HTTPError(404)  # no file system has such a name
        await StaticFileHandler.get(self, path or "index.html", include_body)

    async def head(self, path: str | None = None) -> None:
        await self.get(path, include_body=False)

    def set_extra_headers(self, path: str) -> None:
        self.set_header("Cache-Control", "no-cache")
        self.set_header("Content-Security-Policy", POLICY)
        self.set_header("Referrer-Policy", "no-referrer")

"""A bare Tornado echo, on uvloop as the server is: what the frame path alone can do. `python -m bench.echo PORT`."""

import asyncio
import ssl
import sys

import uvloop
from tornado.httpserver import HTTPServer
from tornado.web import Application
from tornado.websocket import WebSocketHandler


class Echo(WebSocketHandler):
    def open(self) -> None:  # type: ignore[override]
        self.set_nodelay(True)

    def on_message(self, message: str | bytes) -> None:
        self.write_message(message)


async def main(port: int, chain: str = "", key: str = "") -> None:
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)  # of peers that leave in the middle
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if chain else None
    if tls is not None:
        tls.load_cert_chain(chain, key)
    HTTPServer(Application([("/", Echo)]), ssl_options=tls).listen(port, "127.0.0.1")
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), *sys.argv[2:]))

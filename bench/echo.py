"""A bare Tornado echo on uvloop: an upper limit for the server. `python -m bench.echo PORT [CHAIN KEY]`."""

import asyncio
import ssl
import sys

import uvloop
from tornado.httpserver import HTTPServer
from tornado.web import Application
from tornado.websocket import WebSocketHandler


class Echo(WebSocketHandler):
    """Sends each message back."""

    def open(self) -> None:  # type: ignore[override]
        """Send small frames at once."""
        self.set_nodelay(True)

    def on_message(self, message: str | bytes) -> None:
        """Send `message` back."""
        self.write_message(message)


async def main(port: int, chain: str = "", key: str = "") -> None:
    """Serve until killed; with TLS if a certificate chain and key are given."""
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)  # of peers that just disconnect
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if chain else None
    if tls is not None:
        tls.load_cert_chain(chain, key)
    HTTPServer(Application([("/", Echo)]), ssl_options=tls).listen(port, "127.0.0.1")
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), *sys.argv[2:]))

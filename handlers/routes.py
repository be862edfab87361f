"""One table of everything that answers."""

from chat.house import Chat
from handlers import health, web
from handlers.base import App, DoorSettings, NotFound
from handlers.codes import routes as codes
from handlers.invites import routes as invites
from handlers.sockets import Socket, Sockets

PING_S = 30.0  # a peer that vanished without a word is noticed within two of these

DOORS = [*codes.ROUTES, *invites.ROUTES]
LONG_BODIES = codes.LONG_BODIES | invites.LONG_BODIES


def application(chat: Chat, door: DoorSettings, sockets: Sockets) -> App:
    parts = {"chat": chat, "door": door}
    own = [(r"/healthz", health.ReadyHandler), (r"/(?:web/(.+))?", web.WebHandler)]
    return App(
        [
            (path, handler, parts | ({"sockets": sockets} if issubclass(handler, Socket) else {}))
            for path, handler in [*DOORS, *own]
        ],
        default_handler_class=NotFound,
        default_handler_args=parts,
        websocket_ping_interval=PING_S,
    )

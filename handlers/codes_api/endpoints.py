"""The endpoints of the codes API."""

from dataclasses import replace

from chat.limits import CONTACTS, PROFILES
from handlers.codes_api import accounts, chats, health, messages
from handlers.codes_api.base import BY_ROUTE, CodesHandler, NotFound
from handlers.codes_api.schemas import ProfileChanges
from handlers.codes_api.socket import ChatSocket
from handlers.http.api import Api, ErrorAnswer
from handlers.http.endpoint import Endpoint, Limit, SocketEndpoint


def changes_what_contacts_see(body: ProfileChanges) -> bool:
    """Whether contacts are notified of the change."""
    return body.username is not None or body.bio is not None


# Liveness must not depend on the database, which counts requests.
LENIENT = (replace(BY_ROUTE, is_required=False),)
LIMITED = (BY_ROUTE,)
BY_CODE = (BY_ROUTE, Limit(CONTACTS, by=("account",)))
PROFILE = (BY_ROUTE, Limit(PROFILES, by=("account",), when=changes_what_contacts_see))

ENDPOINTS: list[Endpoint | SocketEndpoint] = [
    Endpoint("GET", "/api/health", health.health, "public", LENIENT),
    Endpoint(
        "POST",
        "/api/auth/register",
        accounts.register,
        "public",
        LIMITED,
        status=201,
        is_same_origin=True,
        invalid_status=401,  # COMPAT(codes): 401 for a registration that fails validation
    ),
    Endpoint("POST", "/api/auth/login", accounts.log_in, "public", LIMITED, is_same_origin=True),
    Endpoint("GET", "/api/users", accounts.profile, limits=LIMITED),
    Endpoint("PATCH", "/api/users", accounts.update, limits=PROFILE),
    Endpoint("POST", "/api/chats", chats.start, limits=BY_CODE, status=201),
    Endpoint("POST", "/api/chats/codes", chats.create_code, limits=LIMITED, status=201),
    Endpoint("DELETE", "/api/chats/codes", chats.delete_code, limits=LIMITED),
    Endpoint("GET", "/api/chats/messages", messages.page, limits=LIMITED),
    Endpoint("PATCH", "/api/chats/messages", messages.edit, limits=LIMITED, is_long=True),
    Endpoint("DELETE", "/api/chats/messages", messages.delete, limits=LIMITED),
    SocketEndpoint("/api/chats/ws", ChatSocket, {"text": str}, {"text": str}, limits=LIMITED),
]
API = Api("Sottovoce codes API", "1", CodesHandler, ErrorAnswer, ENDPOINTS, root="/api", not_found=NotFound)

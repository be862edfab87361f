"""The endpoints of the v2 API."""

from chat.limits import CLAIMS, COMMITS, CONTACTS, LOOKUPS, MESSAGES, PROFILES, REGISTRATIONS, UPLOADS
from handlers.http.api import Api
from handlers.http.base import NotFound
from handlers.http.endpoint import Endpoint, Limit, SocketEndpoint
from handlers.v2 import (
    accounts,
    codes,
    contacts,
    description,
    devices,
    direct,
    groups,
    identity,
    invites,
    key_packages,
    sessions,
)
from handlers.v2.base import V2Error, V2Handler
from handlers.v2.schemas import frames
from handlers.v2.schemas.direct import TextFrame
from handlers.v2.schemas.groups import WelcomeShown
from handlers.v2.socket import DeviceSocket

REGISTRATION = (Limit(REGISTRATIONS, by=("address",)),)
PROFILE = (Limit(PROFILES, by=("account",)),)
BY_CODE = (Limit(CONTACTS, by=("account",)),)
BY_NAME = (Limit(LOOKUPS, by=("account",)),)
CLAIM = (Limit(CLAIMS, by=("account", "user")),)
UPLOAD = (Limit(UPLOADS, by=("device",)),)
COMMIT = (Limit(COMMITS, by=("account",)),)
MESSAGE = (Limit(MESSAGES, by=("account",)),)

CONVERSATION = "/v2/conversations/{conversation}"
DIRECT = "/v2/direct/{user}"

RECEIVED = {"send": frames.Send, "ack": frames.Ack, "typing": frames.Typing, "ping": frames.Ping}
SENT = {
    "entry": frames.EntryShown,
    "welcome": WelcomeShown,
    "direct": TextFrame,
    "sent": frames.SentFrame,
    "refused": frames.Refused,
    "event": frames.EventFrame,
    "ready": frames.Ready,
    "pong": frames.Pong,
    "problem": frames.Problem,
}

ENDPOINTS: list[Endpoint | SocketEndpoint] = [
    Endpoint("GET", "/v2/server", accounts.server, "public"),
    Endpoint("GET", "/v2/openapi.json", description.show_openapi, "public"),
    Endpoint("GET", "/v2/asyncapi.json", description.show_asyncapi, "public"),
    Endpoint("POST", "/v2/accounts", accounts.register, "public", REGISTRATION, status=201, is_same_origin=True),
    Endpoint("GET", "/v2/account", accounts.me),
    Endpoint("PATCH", "/v2/account", accounts.set_bio, limits=PROFILE),
    Endpoint("DELETE", "/v2/account", accounts.delete),
    Endpoint("PUT", "/v2/account/password", accounts.set_password),
    Endpoint("PUT", "/v2/account/picture", accounts.set_picture, limits=PROFILE),
    Endpoint("PUT", "/v2/account/device-list", identity.publish, limits=PROFILE),
    Endpoint("GET", "/v2/account/recovery", identity.recovery),
    Endpoint("PUT", "/v2/account/recovery", identity.set_recovery, limits=PROFILE),
    Endpoint("GET", "/v2/users/{name}", accounts.user, limits=BY_NAME),
    Endpoint("GET", "/v2/users/{name}/picture", accounts.user_picture, limits=BY_NAME),
    Endpoint("GET", "/v2/users/{name}/devices", devices.of_user, limits=BY_NAME),
    Endpoint("GET", "/v2/users/{user}/device-list", identity.of_user, limits=BY_NAME),
    Endpoint("POST", "/v2/users/{user}/key-packages/claim", key_packages.claim, limits=CLAIM),
    Endpoint("POST", "/v2/sessions", sessions.log_in, "public", is_same_origin=True),
    Endpoint("GET", "/v2/sessions", sessions.list_all),
    Endpoint("PUT", "/v2/sessions/current", sessions.renew),
    Endpoint("DELETE", "/v2/sessions/current", sessions.log_out, clears_cookie=True),
    Endpoint("DELETE", "/v2/sessions/{session}", sessions.end),
    Endpoint("POST", "/v2/contacts", contacts.add_by_code, limits=BY_CODE),
    Endpoint("GET", "/v2/blocks", contacts.blocked),
    Endpoint("PUT", "/v2/blocks/{user}", contacts.block),
    Endpoint("DELETE", "/v2/blocks/{user}", contacts.unblock),
    Endpoint("GET", "/v2/codes", codes.list_all),
    Endpoint("POST", "/v2/codes", codes.create, status=201),
    Endpoint("DELETE", "/v2/codes/{code}", codes.revoke),
    Endpoint("GET", "/v2/invites", invites.list_all),
    Endpoint("POST", "/v2/invites", invites.create, status=201),
    Endpoint("DELETE", "/v2/invites/{code}", invites.revoke),
    Endpoint("GET", "/v2/devices", devices.list_all),
    Endpoint("POST", "/v2/devices", devices.register, status=201),
    Endpoint("DELETE", "/v2/devices/{device}", devices.revoke),
    Endpoint("GET", "/v2/links", identity.links),
    Endpoint("PUT", "/v2/links", identity.request_link, "device", UPLOAD),
    Endpoint("PUT", "/v2/links/{device}", identity.answer_link, "device", UPLOAD),
    Endpoint("POST", "/v2/key-packages", key_packages.upload, "device", UPLOAD, status=201),
    Endpoint("GET", "/v2/key-packages/count", key_packages.count, "device"),
    Endpoint("GET", "/v2/welcomes", groups.welcomes, "device"),
    Endpoint("GET", "/v2/conversations", groups.list_all),
    Endpoint("POST", "/v2/conversations", groups.create, "device", COMMIT, status=201),
    Endpoint("POST", f"{CONVERSATION}/commits", groups.commit, "device", COMMIT),
    Endpoint("POST", f"{CONVERSATION}/messages", groups.send, "device"),
    Endpoint("GET", f"{CONVERSATION}/log", groups.log, "device"),
    Endpoint("DELETE", f"{CONVERSATION}/messages/{{message}}", groups.delete),
    Endpoint("POST", f"{CONVERSATION}/ack", groups.acknowledge, "device"),
    Endpoint("GET", f"{CONVERSATION}/group-info", groups.group_info),
    Endpoint("GET", f"{CONVERSATION}/removals", groups.removals),
    Endpoint("PUT", f"{CONVERSATION}/state", groups.answer),
    Endpoint("POST", f"{CONVERSATION}/leave", groups.leave, "device"),
    Endpoint("PUT", f"{CONVERSATION}/members/{{user}}", groups.set_role),
    Endpoint("GET", "/v2/direct", direct.list_all),
    Endpoint("PUT", DIRECT, direct.open_with),
    Endpoint("POST", f"{DIRECT}/key", direct.start_key),
    Endpoint("POST", f"{DIRECT}/key/claim", direct.claim_key),
    Endpoint("GET", f"{DIRECT}/messages", direct.read),
    Endpoint("POST", f"{DIRECT}/messages", direct.send, limits=MESSAGE, is_long=True),
    Endpoint("PATCH", f"{DIRECT}/messages/{{seq}}", direct.edit, is_long=True),
    Endpoint("DELETE", f"{DIRECT}/messages/{{seq}}", direct.delete),
    SocketEndpoint("/v2/socket", DeviceSocket, RECEIVED, SENT, "device"),
]
API = Api("Sottovoce v2 API", "2", V2Handler, V2Error, ENDPOINTS, root="/v2", not_found=NotFound)

"""The endpoints of the invites API."""

from chat.limits import MESSAGES, PROFILES, REGISTRATIONS
from handlers.http.api import Api, ErrorAnswer
from handlers.http.endpoint import Endpoint, EndpointHandler, Limit
from handlers.invites_api import accounts, invites, messages, pending_keys, pictures

REGISTRATION = (Limit(REGISTRATIONS, by=("address",)),)
MESSAGE = (Limit(MESSAGES, by=("account",)),)
PROFILE = (Limit(PROFILES, by=("account",)),)

ENDPOINTS = [
    Endpoint("GET", "/motd", accounts.motd, "public"),
    Endpoint("GET", "/version", accounts.version, "public"),
    Endpoint("POST", "/register", accounts.register, "public", REGISTRATION),
    Endpoint("POST", "/login", accounts.log_in, "public"),
    Endpoint("GET", "/me", accounts.me),
    Endpoint("GET", "/username/{user_id}", accounts.username, "public"),
    Endpoint("GET", "/getpfp", pictures.get, "public"),
    Endpoint("POST", "/uploadpfp", pictures.upload, limits=PROFILE),
    Endpoint("POST", "/invites", invites.create),
    Endpoint("GET", "/conversation/start", pending_keys.start),
    Endpoint("GET", "/conversation/check-key", pending_keys.check),
    Endpoint("GET", "/messages", messages.page),
    Endpoint("POST", "/messages", messages.send, limits=MESSAGE, is_long=True),
    Endpoint("GET", "/allmessages", messages.everything),
    Endpoint("GET", "/messages/updates", messages.updates),
    Endpoint("GET", "/messages/newmessages", messages.senders),
]
API = Api("Sottovoce invites API", "1", EndpointHandler, ErrorAnswer, ENDPOINTS)

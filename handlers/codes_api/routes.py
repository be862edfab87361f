"""The paths of the codes API."""

from handlers.codes_api import chats, health, messages, socket, users
from handlers.codes_api.base import NotFound

LONG_BODIES = {r"/api/chats/messages"}

ROUTES = [
    (r"/api/health", health.HealthHandler),
    (r"/api/auth/register", users.RegisterHandler),
    (r"/api/auth/login", users.LoginHandler),
    (r"/api/users", users.UsersHandler),
    (r"/api/chats", chats.ChatsHandler),
    (r"/api/chats/codes", chats.CodesOfUserHandler),
    (r"/api/chats/messages", messages.MessagesHandler),
    (r"/api/chats/ws", socket.ChatSocket),
    (r"/api(?:/.*)?", NotFound),
]

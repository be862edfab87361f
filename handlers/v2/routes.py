"""The paths of the sealed API."""

from handlers.v2 import accounts, conversations, devices, direct, socket

LONG_BODIES = {r"/v2/direct/[^/]+/messages(/[^/]+)?"}

_CONVERSATION = r"/v2/conversations/([^/]+)"
_DIRECT = r"/v2/direct/([^/]+)"

ROUTES = [
    (r"/v2/server", accounts.ServerHandler),
    (r"/v2/accounts", accounts.AccountsHandler),
    (r"/v2/account", accounts.AccountHandler),
    (r"/v2/account/password", accounts.PasswordHandler),
    (r"/v2/account/picture", accounts.OwnPictureHandler),
    (r"/v2/sessions", accounts.SessionsHandler),
    (r"/v2/sessions/([^/]+)", accounts.SessionHandler),
    (r"/v2/contacts", accounts.ContactsHandler),
    (r"/v2/codes", accounts.CodesHandler),
    (r"/v2/codes/([^/]+)", accounts.CodeHandler),
    (r"/v2/invites", accounts.InvitesHandler),
    (r"/v2/invites/([^/]+)", accounts.InviteHandler),
    (r"/v2/blocks", accounts.BlocksHandler),
    (r"/v2/blocks/([^/]+)", accounts.BlockHandler),
    (r"/v2/users/([^/]+)", accounts.UserHandler),
    (r"/v2/users/([^/]+)/picture", accounts.UserPictureHandler),
    (r"/v2/users/([^/]+)/devices", devices.DevicesOfUserHandler),
    (r"/v2/users/([^/]+)/key-packages/claim", devices.ClaimHandler),
    (r"/v2/devices", devices.DevicesHandler),
    (r"/v2/devices/([^/]+)", devices.DeviceHandler),
    (r"/v2/key-packages", devices.KeyPackagesHandler),
    (r"/v2/key-packages/count", devices.CountHandler),
    (r"/v2/welcomes", conversations.WelcomesHandler),
    (r"/v2/conversations", conversations.ConversationsHandler),
    (rf"{_CONVERSATION}/commits", conversations.CommitsHandler),
    (rf"{_CONVERSATION}/messages", conversations.MessagesHandler),
    (rf"{_CONVERSATION}/log", conversations.LogHandler),
    (rf"{_CONVERSATION}/entries/([^/]+)", conversations.EntryHandler),
    (rf"{_CONVERSATION}/ack", conversations.AckHandler),
    (rf"{_CONVERSATION}/group-info", conversations.GroupInfoHandler),
    (rf"{_CONVERSATION}/removals", conversations.RemovalsHandler),
    (rf"{_CONVERSATION}/state", conversations.StateHandler),
    (rf"{_CONVERSATION}/leave", conversations.LeaveHandler),
    (rf"{_CONVERSATION}/members/([^/]+)", conversations.RoleHandler),
    (r"/v2/direct", direct.DirectHandler),
    (_DIRECT, direct.OpenHandler),
    (rf"{_DIRECT}/key", direct.KeyHandler),
    (rf"{_DIRECT}/key/claim", direct.ClaimHandler),
    (rf"{_DIRECT}/messages", direct.TextsHandler),
    (rf"{_DIRECT}/messages/([^/]+)", direct.TextHandler),
    (r"/v2/socket", socket.DeviceSocket),
    (r"/v2(?:/.*)?", accounts.NotFoundHandler),
]

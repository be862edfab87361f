"""The paths of the invites API."""

from handlers.invites_api import accounts, invites, keys, messages, pictures

LONG_BODIES = {r"/messages"}

ROUTES = [
    (r"/motd", accounts.MotdHandler),
    (r"/version", accounts.VersionHandler),
    (r"/register", accounts.RegisterHandler),
    (r"/login", accounts.LoginHandler),
    (r"/me", accounts.MeHandler),
    (r"/username/([^/]+)", accounts.UsernameHandler),
    (r"/getpfp", pictures.GetPictureHandler),
    (r"/uploadpfp", pictures.UploadPictureHandler),
    (r"/invites", invites.InvitesHandler),
    (r"/conversation/start", keys.StartHandler),
    (r"/conversation/check-key", keys.CheckKeyHandler),
    (r"/messages", messages.MessagesHandler),
    (r"/allmessages", messages.AllMessagesHandler),
    (r"/messages/updates", messages.UpdatesHandler),
    (r"/messages/newmessages", messages.NewMessagesHandler),
]

"""/v2/server, /v2/accounts, /v2/account, /v2/sessions, /v2/users, /v2/invites: who is here, and who may come."""

from tornado.web import HTTPError

from chat.errors import NoSuchSession, NotFound
from chat.limits import REGISTRATIONS
from chat.model.ids import MAX_ID, SessionId, UserId
from handlers.http.base import number, uuid
from handlers.v2.base import V2Handler
from handlers.v2.schemas.accounts import (
    Code,
    CodeShown,
    InviteShown,
    LoggedIn,
    LogIn,
    Me,
    NewPassword,
    Password,
    Picture,
    Profile,
    Register,
    Renewed,
    Server,
    Session,
    UserShown,
)


class ServerHandler(V2Handler):
    def get(self) -> None:
        """For anybody."""
        self.reply(Server(self.api.version, self.api.registration, self.api.motd))


class AccountsHandler(V2Handler):
    async def post(self) -> None:
        self.refuse_foreign_origin()
        await self.services.limits.hit(REGISTRATIONS, self.rate_key, self.services.now())
        wanted = self.body(Register)
        user_id = await self.services.accounts.register(
            wanted.username, wanted.email, wanted.password, None, wanted.invite_code
        )
        await self.signed_in(await self.services.accounts.start_session(user_id, self.api.cookie_life), user_id, 201)

    async def signed_in(self, token: str, user_id: UserId, status: int) -> None:
        account = await self.services.accounts.get(user_id)
        self.set_session_cookie(token)
        self.reply(LoggedIn(token, UserShown(account.uuid, account.username)), status)


class SessionsHandler(AccountsHandler):
    async def post(self) -> None:
        self.refuse_foreign_origin()
        given = self.body(LogIn)
        token, user_id = await self.services.accounts.log_in(
            given.username, given.password, by_email=False, address=self.rate_key, life=self.api.cookie_life
        )
        await self.signed_in(token, user_id, 200)

    async def get(self) -> None:
        session = await self.session()
        self.reply([Session.of(one, session.id) for one in await self.services.accounts.sessions(session.account)])


class SessionHandler(V2Handler):
    async def put(self, which: str) -> None:
        """One's own lives on from now; a browser does it while it is used."""
        session = await self.session()
        if which != "current":
            raise NoSuchSession("Only the current session can be renewed")
        token, expires_at = await self.services.accounts.renew_session(session, self.api.cookie_life)
        self.set_session_cookie(token)
        self.reply(Renewed(token, expires_at))

    async def delete(self, which: str) -> None:
        if which == "current":
            self.clear_session_cookie()  # also where the session is over, with its device
        session = await self.session()
        ended = session.id if which == "current" else SessionId(uuid("session", which))
        await self.services.accounts.end_session(session.account, ended)
        if ended == session.id:
            self.clear_session_cookie()
        self.reply({})


class AccountHandler(V2Handler):
    async def get(self) -> None:
        account = await self.account()
        host = await self.services.accounts.host(account)
        shown = UserShown.of(host) if host is not None else None
        picture = (await self.services.contacts.get(account.uuid)).picture_version
        self.reply(Me(account.uuid, account.username, account.email, account.bio, account.role, shown, picture))

    async def patch(self) -> None:
        await self.services.accounts.set_bio(await self.account(), self.body(Profile).bio)
        self.reply({})

    async def delete(self) -> None:
        await self.services.accounts.delete(await self.account(), self.body(Password).password)
        self.clear_session_cookie()
        self.reply({})


class PasswordHandler(V2Handler):
    async def put(self) -> None:
        """Ends all other sessions."""
        session, given = await self.session(), self.body(NewPassword)
        await self.services.accounts.update(session, given.password, new_password=given.new_password)
        self.reply({})


class OwnPictureHandler(V2Handler):
    async def put(self) -> None:
        await self.services.pictures.set(await self.account(), self.body(Picture).image)
        self.reply({})


class UserHandler(V2Handler):
    async def get(self, name: str) -> None:
        self.reply(UserShown.of(await self.services.contacts.find(await self.account(), name)))


class UserPictureHandler(V2Handler):
    async def get(self, name: str) -> None:
        person = await self.services.contacts.find(await self.account(), name)
        png = await self.services.pictures.get(person.id)
        if png is None:
            raise NotFound("No picture")
        self.set_header("Content-Type", "image/png")
        if self.query("v") is not None:  # another picture has another address
            self.set_header("Cache-Control", "private, max-age=31536000, immutable")
        self.finish(png)


class ContactsHandler(V2Handler):
    async def post(self) -> None:
        """By somebody's chat code, which is used up."""
        self.reply(UserShown.of(await self.services.contacts.meet(await self.account(), self.body(Code).code)))


class CodesHandler(V2Handler):
    async def get(self) -> None:
        found = await self.services.chat_codes.open(await self.account())
        self.reply([CodeShown(one.code, one.expires_at) for one in found])

    async def post(self) -> None:
        self.reply(Code(await self.services.chat_codes.create(await self.account())), 201)


class CodeHandler(V2Handler):
    async def delete(self, code: str) -> None:
        await self.services.chat_codes.delete(await self.account(), number("code", code, 0, MAX_ID))
        self.reply({})


class InvitesHandler(V2Handler):
    async def get(self) -> None:
        found = await self.services.invites.open(await self.account())
        self.reply([InviteShown(invite.code, invite.expires_at) for invite in found])

    async def post(self) -> None:
        invite = await self.services.invites.create(await self.account())
        self.reply(InviteShown(invite.code, invite.expires_at), 201)


class InviteHandler(V2Handler):
    async def delete(self, code: str) -> None:
        await self.services.invites.revoke(await self.account(), code)
        self.reply({})


class BlocksHandler(V2Handler):
    async def get(self) -> None:
        self.reply([UserShown.of(person) for person in await self.services.contacts.blocked(await self.account())])


class BlockHandler(V2Handler):
    async def put(self, user: str) -> None:
        await self.services.contacts.block(await self.account(), uuid("user", user))
        self.reply({})

    async def delete(self, user: str) -> None:
        await self.services.contacts.unblock(await self.account(), uuid("user", user))
        self.reply({})


class NotFoundHandler(V2Handler):
    def prepare(self) -> None:
        raise HTTPError(404)

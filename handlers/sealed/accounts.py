"""/v2/server, /v2/accounts, /v2/account, /v2/sessions, /v2/users, /v2/invites: who is here, and who may come."""

from tornado.web import HTTPError

from chat.errors import NoSuchSession, NotFound
from chat.limits import REGISTRATIONS
from chat.model import MAX_ID, SessionId, UserId
from handlers.base import number, uuid
from handlers.sealed.base import SealedHandler
from handlers.sealed.wire.accounts import (
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


class ServerHandler(SealedHandler):
    def get(self) -> None:
        """For anybody."""
        self.reply(Server(self.door.version, self.door.registration, self.door.motd))


class AccountsHandler(SealedHandler):
    async def post(self) -> None:
        self.refuse_foreign_origin()
        await self.chat.limits.hit(REGISTRATIONS, self.rate_key, self.chat.now())
        wanted = self.body(Register)
        user_id = await self.chat.accounts.register(
            wanted.username, wanted.email, wanted.password, None, wanted.invite_code
        )
        await self.signed_in(await self.chat.accounts.start_session(user_id, self.door.cookie_life), user_id, 201)

    async def signed_in(self, token: str, user_id: UserId, status: int) -> None:
        account = await self.chat.accounts.get(user_id)
        self.set_session_cookie(token)
        self.reply(LoggedIn(token, UserShown(account.uuid, account.username)), status)


class SessionsHandler(AccountsHandler):
    async def post(self) -> None:
        self.refuse_foreign_origin()
        given = self.body(LogIn)
        token, user_id = await self.chat.accounts.log_in(
            given.username, given.password, by_email=False, address=self.rate_key, life=self.door.cookie_life
        )
        await self.signed_in(token, user_id, 200)

    async def get(self) -> None:
        session = await self.session()
        self.reply([Session.of(one, session.id) for one in await self.chat.accounts.sessions(session.account)])


class SessionHandler(SealedHandler):
    async def put(self, which: str) -> None:
        """One's own lives on from now; a browser does it while it is used."""
        session = await self.session()
        if which != "current":
            raise NoSuchSession("Only the current session can be renewed")
        token, expires_at = await self.chat.accounts.renew_session(session, self.door.cookie_life)
        self.set_session_cookie(token)
        self.reply(Renewed(token, expires_at))

    async def delete(self, which: str) -> None:
        if which == "current":
            self.clear_session_cookie()  # also where the session is over, with its device
        session = await self.session()
        ended = session.id if which == "current" else SessionId(uuid("session", which))
        await self.chat.accounts.end_session(session.account, ended)
        if ended == session.id:
            self.clear_session_cookie()
        self.reply({})


class AccountHandler(SealedHandler):
    async def get(self) -> None:
        account = await self.account()
        host = await self.chat.accounts.host(account)
        shown = UserShown.of(host) if host is not None else None
        picture = (await self.chat.people.get(account.uuid)).picture_version
        self.reply(Me(account.uuid, account.username, account.email, account.bio, account.role, shown, picture))

    async def patch(self) -> None:
        await self.chat.accounts.set_bio(await self.account(), self.body(Profile).bio)
        self.reply({})

    async def delete(self) -> None:
        await self.chat.accounts.delete(await self.account(), self.body(Password).password)
        self.clear_session_cookie()
        self.reply({})


class PasswordHandler(SealedHandler):
    async def put(self) -> None:
        """Ends all other sessions."""
        session, given = await self.session(), self.body(NewPassword)
        await self.chat.accounts.update(session, given.password, new_password=given.new_password)
        self.reply({})


class OwnPictureHandler(SealedHandler):
    async def put(self) -> None:
        await self.chat.pictures.set(await self.account(), self.body(Picture).image)
        self.reply({})


class UserHandler(SealedHandler):
    async def get(self, name: str) -> None:
        self.reply(UserShown.of(await self.chat.people.find(await self.account(), name)))


class UserPictureHandler(SealedHandler):
    async def get(self, name: str) -> None:
        person = await self.chat.people.find(await self.account(), name)
        png = await self.chat.pictures.get(person.id)
        if png is None:
            raise NotFound("No picture")
        self.set_header("Content-Type", "image/png")
        if self.query("v") is not None:  # another picture has another address
            self.set_header("Cache-Control", "private, max-age=31536000, immutable")
        self.finish(png)


class ContactsHandler(SealedHandler):
    async def post(self) -> None:
        """By somebody's chat code, which is used up."""
        self.reply(UserShown.of(await self.chat.people.meet(await self.account(), self.body(Code).code)))


class CodesHandler(SealedHandler):
    async def get(self) -> None:
        found = await self.chat.codes.open(await self.account())
        self.reply([CodeShown(one.code, one.expires_at) for one in found])

    async def post(self) -> None:
        self.reply(Code(await self.chat.codes.create(await self.account())), 201)


class CodeHandler(SealedHandler):
    async def delete(self, code: str) -> None:
        await self.chat.codes.delete(await self.account(), number("code", code, 0, MAX_ID))
        self.reply({})


class InvitesHandler(SealedHandler):
    async def get(self) -> None:
        found = await self.chat.invites.open(await self.account())
        self.reply([InviteShown(invite.code, invite.expires_at) for invite in found])

    async def post(self) -> None:
        invite = await self.chat.invites.create(await self.account())
        self.reply(InviteShown(invite.code, invite.expires_at), 201)


class InviteHandler(SealedHandler):
    async def delete(self, code: str) -> None:
        await self.chat.invites.revoke(await self.account(), code)
        self.reply({})


class BlocksHandler(SealedHandler):
    async def get(self) -> None:
        self.reply([UserShown.of(person) for person in await self.chat.people.blocked(await self.account())])


class BlockHandler(SealedHandler):
    async def put(self, user: str) -> None:
        await self.chat.people.block(await self.account(), uuid("user", user))
        self.reply({})

    async def delete(self, user: str) -> None:
        await self.chat.people.unblock(await self.account(), uuid("user", user))
        self.reply({})


class NotFoundHandler(SealedHandler):
    def prepare(self) -> None:
        raise HTTPError(404)

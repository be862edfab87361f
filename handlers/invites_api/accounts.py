"""Who is here: register, log in, names, and what the server says of itself."""

from chat.errors import Invalid, NoSuchUser, Taken
from chat.limits import REGISTRATIONS
from chat.model.ids import MAX_ID, UserId
from handlers.http.base import Handler, number
from handlers.invites_api.wire import LoggedIn, Login, Me, Motd, Register, Registered, UsernameAnswer, Version


class MotdHandler(Handler):
    def get(self) -> None:
        self.reply(Motd(self.api.motd))


class VersionHandler(Handler):
    def get(self) -> None:
        self.reply(Version(self.api.version))


class RegisterHandler(Handler):
    async def post(self) -> None:
        await self.services.limits.hit(REGISTRATIONS, self.rate_key, self.services.now())
        wanted = self.body(Register)
        try:
            user_id = await self.services.accounts.register_invited(
                wanted.username, wanted.password, wanted.invite_code
            )
        except Taken as error:
            # COMPAT(invites): 400 for every reason to refuse a registration.
            raise Invalid(str(error)) from error
        self.reply(Registered(user_id))


class LoginHandler(Handler):
    async def post(self) -> None:
        given = self.body(Login)
        if not given.username or not given.password:
            raise Invalid("username and password must not be empty")
        token, _ = await self.services.accounts.log_in(
            given.username, given.password, by_email=False, address=self.rate_key, life=self.api.bearer_life
        )
        self.reply(LoggedIn(token))


class MeHandler(Handler):
    async def get(self) -> None:
        account = await self.account()
        self.reply(Me(account.id, account.username))


class UsernameHandler(Handler):
    async def get(self, user_id: str) -> None:
        try:
            wanted = UserId(number("id", user_id, 0, MAX_ID))
        except Invalid as error:
            # COMPAT(invites): the contract knows no 400 here; what is no id is nobody's.
            raise NoSuchUser("User not found") from error
        account = await self.services.accounts.get(wanted)
        self.reply(UsernameAnswer(account.username))

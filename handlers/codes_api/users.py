"""/api/auth/* and /api/users."""

from chat.accounts import validation
from chat.errors import Invalid, InvalidBody, InvalidCredentials
from chat.model.ids import UserId
from handlers.codes_api.base import CodesHandler
from handlers.codes_api.wire import Login, Profile, ProfileChanges, Register, SignedIn, UpdatedFields


class Unprocessable(Invalid):
    # COMPAT(codes): the seed answers 401 where a registration does not pass validation.
    status = 401


class WrongLogin(InvalidCredentials):
    # COMPAT(codes): 401 at the login, 400 where the profile's update asks for the current password.
    status = 401


class RegisterHandler(CodesHandler):
    async def post(self) -> None:
        self.refuse_foreign_origin()  # another site must not log its visitor in here
        try:
            wanted = self.body(Register)
            user_id = await self.services.accounts.register(
                wanted.username, wanted.email, wanted.password, wanted.bio, wanted.invite_code
            )
        except InvalidBody:
            raise
        except Invalid as error:
            raise Unprocessable(str(error)) from error
        await self._sign_in(user_id)

    async def _sign_in(self, user_id: UserId) -> None:
        self.set_session_cookie(await self.services.accounts.start_session(user_id, self.api.cookie_life))
        self.reply(SignedIn("User registered successfully", user_id), 201)


class LoginHandler(CodesHandler):
    async def post(self) -> None:
        self.refuse_foreign_origin()
        given = self.body(Login)
        if not given.person or not given.password:
            raise Invalid("person and password must not be empty")
        if given.is_email:
            validation.email(given.person)  # COMPAT(codes): no address is 400, an unknown one 401
        try:
            token, user_id = await self.services.accounts.log_in(
                given.person,
                given.password,
                by_email=given.is_email,
                address=self.rate_key,
                life=self.api.cookie_life,
            )
        except InvalidCredentials as error:
            raise WrongLogin(str(error)) from error
        self.set_session_cookie(token)
        self.reply(SignedIn("Login successful", user_id))


class UsersHandler(CodesHandler):
    async def get(self) -> None:
        account = await self.account()
        self.reply(Profile(account.email, account.username, account.bio, account.created_at, account.updated_at))

    async def patch(self) -> None:
        session = await self.session()
        wanted = self.body(ProfileChanges)
        changed = await self.services.accounts.update(
            session, wanted.password, wanted.username, wanted.email, wanted.bio, wanted.new_password
        )
        self.reply(UpdatedFields(changed))

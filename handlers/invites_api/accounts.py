"""Registration, login, usernames, message of the day and version."""

from typing import Annotated

from chat.errors import Invalid, NoSuchUser, Taken
from chat.model.ids import MAX_ID, UserId
from handlers.http.endpoint import Call
from handlers.http.parameters import Parameter, number
from handlers.invites_api.schemas import LoggedIn, Login, Me, Motd, Register, Registered, UsernameAnswer, Version


def parse_user_id(name: str, text: str) -> UserId:
    """Parse the id of an account. Raises NoSuchUser."""
    try:
        return UserId(number(name, text, 0, MAX_ID))
    except Invalid as error:
        # COMPAT(invites): the contract has no 400 here; no account has a malformed id.
        raise NoSuchUser("User not found") from error


USER_ID = Parameter(parse_user_id, {"type": "integer", "minimum": 0, "maximum": MAX_ID})


async def motd(call: Call) -> Motd:
    """Show the message of the day."""
    return Motd(call.api.motd)


async def version(call: Call) -> Version:
    """Show the version of the server."""
    return Version(call.api.version)


async def register(call: Call, body: Register) -> Registered:
    """Create an account by an invite code."""
    try:
        user_id = await call.services.accounts.register_invited(body.username, body.password, body.invite_code)
    except Taken as error:
        # COMPAT(invites): every refused registration is 400.
        raise Invalid(str(error)) from error
    return Registered(user_id)


async def log_in(call: Call, body: Login) -> LoggedIn:
    """Log in; the token is valid for one day."""
    if not body.username or not body.password:
        raise Invalid("username and password must not be empty")
    token, _ = await call.services.accounts.log_in(
        body.username, body.password, by_email=False, address=call.rate_key, life=call.api.bearer_life
    )
    return LoggedIn(token)


async def me(call: Call) -> Me:
    """Show the account."""
    return Me(call.account.id, call.account.username)


async def username(call: Call, user_id: Annotated[UserId, USER_ID]) -> UsernameAnswer:
    """Show the username of an account."""
    return UsernameAnswer((await call.services.accounts.get(user_id)).username)

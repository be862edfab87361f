"""/v2/server, /v2/accounts, /v2/account, /v2/users."""

from typing import Annotated

from chat.errors import NotFound
from chat.model.ids import UserId
from handlers.http.answers import Empty, Png
from handlers.http.endpoint import Call
from handlers.http.parameters import text
from handlers.v2.parameters import Name
from handlers.v2.schemas.accounts import (
    LoggedIn,
    Me,
    NewPassword,
    Password,
    Picture,
    Profile,
    Register,
    Server,
    UserShown,
)


async def server(call: Call) -> Server:
    """Show the version, who may register, and the message of the day."""
    return Server(call.api.version, call.api.registration, call.api.motd)


async def register(call: Call, body: Register) -> LoggedIn:
    """Create an account and log it in."""
    user_id = await call.services.accounts.register(body.username, body.email, body.password, None, body.invite_code)
    return await logged_in(call, await call.services.accounts.start_session(user_id, call.api.cookie_life), user_id)


async def logged_in(call: Call, token: str, user_id: UserId) -> LoggedIn:
    """Set the session cookie; return the token and the account."""
    account = await call.services.accounts.get(user_id)
    call.set_session_cookie(token)
    return LoggedIn(token, UserShown(account.uuid, account.username))


async def me(call: Call) -> Me:
    """Show the account."""
    account = call.account
    host = await call.services.repositories.accounts.host(account.id)
    invited_by = UserShown.of(host) if host is not None else None
    picture = (await call.services.contacts.get(account.uuid)).picture_version
    return Me(account.uuid, account.username, account.email, account.bio, account.role, invited_by, picture)


async def set_bio(call: Call, body: Profile) -> Empty:
    """Change the `bio` of the account."""
    await call.services.accounts.set_bio(call.account, body.bio)
    return Empty()


async def set_password(call: Call, body: NewPassword) -> Empty:
    """Change the password, and end all other sessions."""
    await call.services.accounts.update(call.session, body.password, new_password=body.new_password)
    return Empty()


async def set_picture(call: Call, body: Picture) -> Empty:
    """Set the profile picture."""
    await call.services.pictures.set(call.account, body.image)
    return Empty()


async def delete(call: Call, body: Password) -> Empty:
    """Delete the account permanently."""
    await call.services.accounts.delete(call.account, body.password)
    call.clear_session_cookie()
    return Empty()


async def user(call: Call, name: Name) -> UserShown:
    """Find a user by their exact name."""
    return UserShown.of(await call.services.contacts.find(name))


async def user_picture(call: Call, name: Name, *, version: Annotated[str | None, text("v")] = None) -> Png:
    """Show a profile picture. With its version `v` it may be cached permanently."""
    person = await call.services.contacts.find(name)
    png = await call.services.pictures.get(person.id)
    if png is None:
        raise NotFound("This user has no profile picture")
    return Png(png, is_immutable=version is not None)

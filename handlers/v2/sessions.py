"""/v2/sessions: log in, log out, and list."""

from typing import Annotated
from uuid import UUID

from chat.model.ids import SessionId
from handlers.http.answers import Empty
from handlers.http.endpoint import Call
from handlers.http.parameters import uuid
from handlers.v2.accounts import logged_in
from handlers.v2.schemas.accounts import LoggedIn, LogIn, Renewed, Session


async def log_in(call: Call, body: LogIn) -> LoggedIn:
    """Log in."""
    token, user_id = await call.services.accounts.log_in(
        body.username, body.password, by_email=False, address=call.rate_key, life=call.api.cookie_life
    )
    return await logged_in(call, token, user_id)


async def list_all(call: Call) -> list[Session]:
    """List the sessions of the account."""
    found = await call.services.accounts.sessions(call.account)
    return [Session.of(one, call.session.id) for one in found]


async def renew(call: Call) -> Renewed:
    """Extend the current session."""
    token, expires_at = await call.services.accounts.renew_session(call.session, call.api.cookie_life)
    call.set_session_cookie(token)
    return Renewed(token, expires_at)


async def log_out(call: Call) -> Empty:
    """End the current session."""
    await call.services.accounts.end_session(call.account, call.session.id)
    return Empty()


async def end(call: Call, session: Annotated[UUID, uuid()]) -> Empty:
    """End a session of the account."""
    await call.services.accounts.end_session(call.account, SessionId(session))
    if session == call.session.id:
        call.clear_session_cookie()
    return Empty()

"""/api/auth/* and /api/users."""

from chat.accounts import validation
from chat.errors import Invalid, InvalidCredentials
from handlers.codes_api.schemas import Login, Profile, ProfileChanges, Register, SignedIn, UpdatedFields
from handlers.http.endpoint import Call


class WrongLogin(InvalidCredentials):
    """A login with a wrong username, e-mail address or password."""

    # COMPAT(codes): 401 at login; 400 if the current password is wrong in an update of the profile.
    status = 401


async def register(call: Call, body: Register) -> SignedIn:
    """Create an account and log it in."""
    user_id = await call.services.accounts.register(
        body.username, body.email, body.password, body.bio, body.invite_code
    )
    call.set_session_cookie(await call.services.accounts.start_session(user_id, call.api.cookie_life))
    return SignedIn("User registered successfully", user_id)


async def log_in(call: Call, body: Login) -> SignedIn:
    """Log in by username or e-mail address."""
    if not body.person or not body.password:
        raise Invalid("person and password must not be empty")
    if body.is_email:
        validation.email(body.person)  # COMPAT(codes): a malformed address is 400, an unknown one 401
    try:
        token, user_id = await call.services.accounts.log_in(
            body.person, body.password, by_email=body.is_email, address=call.rate_key, life=call.api.cookie_life
        )
    except InvalidCredentials as error:
        raise WrongLogin(str(error)) from error
    call.set_session_cookie(token)
    return SignedIn("Login successful", user_id)


async def profile(call: Call) -> Profile:
    """Show the account."""
    account = call.account
    return Profile(account.email, account.username, account.bio, account.created_at, account.updated_at)


async def update(call: Call, body: ProfileChanges) -> UpdatedFields:
    """Change fields of the account; the current password is required."""
    changed = await call.services.accounts.update(
        call.session, body.password, body.username, body.email, body.bio, body.new_password
    )
    return UpdatedFields(changed)

"""Accounts and their sessions: register, log in, authenticate, change, delete, log out."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal, Protocol
from uuid import uuid4

from msgspec import structs

from chat.accounts import validation
from chat.accounts.invites import invite_code
from chat.errors import Invalid, InvalidCredentials, NoSuchSession, NoSuchUser, RegistrationClosed, Unauthenticated
from chat.limits import FAILED_LOGINS, Limits
from chat.model.accounts import Account, AccountChanges, Credentials, NewAccount, Session, SessionShown
from chat.model.ids import SessionId, UserId
from crypto.hashing import Hashing
from crypto.tokens import InvalidToken, Tokens

Registration = Literal["open", "invite", "closed"]


class AccountStore(Protocol):
    """The repository of accounts."""

    async def create(self, account: NewAccount, invite: str | None, now: datetime) -> UserId:
        """Use up `invite` and create the account in one transaction. Raises Taken, BadInvite."""
        ...

    async def get(self, user_id: UserId) -> Account | None:
        """Return the account, or None."""
        ...

    async def credentials(self, *, username_key: str | None = None, email: str | None = None) -> Credentials | None:
        """Return the credentials of the account with this username key or e-mail address, or None."""
        ...

    async def password_hash(self, user_id: UserId) -> str | None:
        """Return the password hash of the account, or None."""
        ...

    async def update(self, user_id: UserId, changes: AccountChanges, keep: SessionId | None, now: datetime) -> None:
        """Change the account. A new password ends every session but `keep`. Raises Taken."""
        ...

    async def delete(self, user_id: UserId) -> None:
        """Delete the account and its data permanently."""
        ...


class SessionStore(Protocol):
    """The repository of sessions."""

    async def create(self, session_id: SessionId, user_id: UserId, now: datetime, expires_at: datetime) -> None:
        """Store a session. Raises Unauthenticated if the account was deleted meanwhile."""
        ...

    async def get(self, session_id: SessionId, now: datetime) -> Session | None:
        """Return the session with its account; None if it has expired or does not exist."""
        ...

    async def of_user(self, user_id: UserId, now: datetime) -> list[SessionShown]:
        """List the sessions of an account that have not expired, oldest first."""
        ...

    async def renew(self, session_id: SessionId, now: datetime, expires_at: datetime) -> datetime | None:
        """Return the new end, never earlier than the old one; None if the session does not exist."""
        ...

    async def end(self, user_id: UserId, session_id: SessionId) -> bool:
        """Return False if the account has no such session."""
        ...


class Accounts:
    """Registration, login, sessions, and changes of the own account."""

    def __init__(
        self,
        users: AccountStore,
        sessions: SessionStore,
        hashing: Hashing,
        tokens: Tokens,
        limits: Limits,
        now: Callable[[], datetime],
        registration: Registration,
    ) -> None:
        self._users = users
        self._sessions = sessions
        self._hashing = hashing
        self._tokens = tokens
        self._limits = limits
        self._now = now
        self._registration = registration

    async def register(
        self, username: str, email: str | None, password: str, bio: str | None, invite: str | None
    ) -> UserId:
        """Create an account for the codes API and the v2 API.

        Raises Invalid, Taken, BadInvite, RegistrationClosed.
        """
        if self._registration == "closed":
            raise RegistrationClosed("Registration is closed on this server")
        if self._registration == "invite" and invite is None:
            raise RegistrationClosed("Registration on this server requires invite_code; ask its operator for one")
        name = validation.username(username)
        address = validation.email(email) if email is not None else None
        validation.password_of_codes(password)
        text = validation.bio(bio) if bio else None
        code = invite_code(invite) if invite is not None else None
        password_hash = await self._hashing.hash(password, "argon2id")
        return await self._users.create(NewAccount(name, password_hash, address, text), code, self._now())

    async def register_invited(self, username: str, password: str, invite: str) -> UserId:
        """Create an account for the invites API. Raises Invalid, Taken, BadInvite, RegistrationClosed."""
        if self._registration == "closed":
            raise RegistrationClosed("Registration is closed on this server")
        name = validation.username(username)
        validation.password_of_invites(password)
        code = invite_code(invite)
        password_hash = await self._hashing.hash(password, "bcrypt")
        return await self._users.create(NewAccount(name, password_hash), code, self._now())

    async def log_in(
        self, person: str, password: str, *, by_email: bool, address: str, life: timedelta
    ) -> tuple[str, UserId]:
        """Start a session of `life`; return its token and the account's id. Raises InvalidCredentials, TooMany.

        A failure counts for the client's `address` and for the account, even if no such account exists. While either
        is blocked, every attempt raises TooMany: guesses in progress when the block began learn nothing.
        """
        key = validation.email_key(person) if by_email else validation.username_key(person)
        found = await self._users.credentials(**{"email" if by_email else "username_key": key}) if key else None
        counted = (f"address:{address}", f"account:{found.id}" if found else f"nobody:{key}")
        await self._check_password(password, found.password_hash if found else None, *counted)
        assert found is not None, "without an account no password is right"
        return await self.start_session(found.id, life), found.id

    async def confirm(self, account: Account, password: str) -> None:
        """Check the password of an account whose session asks for something grave.

        Raises InvalidCredentials, TooMany, Invalid.
        """
        await self._check_password(password, await self._users.password_hash(account.id), f"account:{account.id}")

    async def _check_password(self, password: str, password_hash: str | None, *counted: str) -> None:
        """Raise InvalidCredentials or TooMany; Invalid if the password is longer than any account's can be."""
        validation.check_password_length(password, "argon2id")
        for who in counted:
            await self._limits.check(FAILED_LOGINS, who, self._now())
        right = await self._hashing.verify(password, password_hash)
        for who in counted:
            await self._limits.check(FAILED_LOGINS, who, self._now())
        if not right:
            for who in counted:
                await self._limits.take(FAILED_LOGINS, who, self._now())
            raise InvalidCredentials("Invalid credentials")

    async def start_session(self, user_id: UserId, life: timedelta) -> str:
        """Start a session of `life` for a user who has just been authenticated; return its token."""
        session_id, now = SessionId(uuid4()), self._now()
        await self._sessions.create(session_id, user_id, now, now + life)
        return self._tokens.issue(session_id, user_id, now, now + life)

    async def renew_session(self, session: Session, life: timedelta) -> tuple[str, datetime]:
        """Extend the session to `life` from now; return its new token and end. Raises Unauthenticated."""
        now = self._now()
        expires_at = await self._sessions.renew(session.id, now, now + life)
        if expires_at is None:
            raise Unauthenticated("This session has ended, log in again")
        return self._tokens.issue(session.id, session.account.id, now, expires_at), expires_at

    async def authenticate(self, token: str | None) -> Session:
        """Return the session of `token`. Raises Unauthenticated."""
        try:
            session_id = SessionId(self._tokens.session_id(token or ""))
        except InvalidToken as error:
            raise Unauthenticated("Invalid or missing token") from error
        session = await self._sessions.get(session_id, self._now())
        if session is None:
            raise Unauthenticated("This session has ended, log in again")
        return session

    async def sessions(self, account: Account) -> list[SessionShown]:
        """List the sessions of the account that have not expired."""
        return await self._sessions.of_user(account.id, self._now())

    async def end_session(self, account: Account, session_id: SessionId) -> None:
        """End a session of the account, which closes its sockets. Raises NoSuchSession."""
        if not await self._sessions.end(account.id, session_id):
            raise NoSuchSession("No such session")

    async def delete(self, account: Account, password: str) -> None:
        """Delete the account permanently; docs/PROTOCOL.md lists what remains. Raises InvalidCredentials, TooMany."""
        await self.confirm(account, password)
        await self._users.delete(account.id)

    async def get(self, user_id: UserId) -> Account:
        """Return the account with this id. Raises NoSuchUser."""
        account = await self._users.get(user_id)
        if account is None:
            raise NoSuchUser("User not found")
        return account

    async def set_bio(self, account: Account, bio: str) -> None:
        """Change the bio of the account. Raises Invalid."""
        await self._users.update(account.id, AccountChanges(bio=validation.bio(bio)), None, self._now())

    async def update(
        self,
        session: Session,
        password: str,
        username: str | None = None,
        email: str | None = None,
        bio: str | None = None,
        new_password: str | None = None,
    ) -> list[str]:
        """Change the given fields; return their names. Raises InvalidCredentials, Invalid, Taken, TooMany."""
        account_id = session.account.id
        changes = AccountChanges(
            username=validation.username(username) if username is not None else None,
            email=validation.email(email) if email is not None else None,
            bio=validation.bio(bio) if bio is not None else None,
        )
        if not changes.names and new_password is None:
            raise Invalid("At least one field must be updated")
        if new_password is not None:
            validation.password_of_codes(new_password)
        await self.confirm(session.account, password)
        if new_password is not None:
            changes = structs.replace(changes, password_hash=await self._hashing.hash(new_password, "argon2id"))
        await self._users.update(account_id, changes, session.id, self._now())
        return changes.names

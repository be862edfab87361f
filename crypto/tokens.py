"""Session tokens: JWT (RFC 7519), HS256 and nothing else (RFC 8725 section 3.1)."""

from datetime import datetime
from functools import lru_cache
from uuid import UUID

import jwt

ALGORITHM = "HS256"
MIN_SECRET_BYTES = 32  # RFC 7518 section 3.2
MAX_CHARS = 512  # ours have 200
KEPT = 4096  # tokens that were found good; whether their sessions live is asked each time


class InvalidToken(ValueError):
    pass


class Tokens:
    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self.session_id = lru_cache(KEPT)(self._session_id)  # a seventh of a short request is checking its signature

    def issue(self, session_id: UUID, user_id: int, issued_at: datetime, expires_at: datetime) -> str:
        claims = {"sid": str(session_id), "sub": str(user_id), "iat": issued_at, "exp": expires_at}
        return jwt.encode(claims, self._secret, ALGORITHM)

    def _session_id(self, token: str) -> UUID:
        """The session that `token` belongs to. Whether it still lives is for the sessions table to say.

        Raises InvalidToken.
        """
        if len(token) > MAX_CHARS:
            raise InvalidToken
        try:
            claims = jwt.decode(
                token,
                self._secret,
                [ALGORITHM],
                options={"require": ["sid", "sub", "exp"], "verify_exp": False, "verify_iat": False},
            )
            return UUID(claims["sid"])
        except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError) as error:
            raise InvalidToken from error

"""Session tokens: JWT (RFC 7519), HS256 and nothing else (RFC 8725 section 3.1)."""

from datetime import datetime
from functools import lru_cache
from uuid import UUID

import jwt

ALGORITHM = "HS256"
MIN_SECRET_BYTES = 32  # RFC 7518 section 3.2
MAX_CHARS = 512  # our tokens have 200
CACHED_MAX = 4096  # tokens with a valid signature; each request still looks up the session


class InvalidToken(ValueError):
    """The token is malformed, or its signature is wrong."""


class Tokens:
    """Issues and checks tokens, signed with one secret."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self.session_id = lru_cache(CACHED_MAX)(self._session_id)  # checking the signature takes 1/7 of a short request

    def issue(self, session_id: UUID, user_id: int, issued_at: datetime, expires_at: datetime) -> str:
        """Return a token for a session."""
        claims = {"sid": str(session_id), "sub": str(user_id), "iat": issued_at, "exp": expires_at}
        return jwt.encode(claims, self._secret, ALGORITHM)

    def _session_id(self, token: str) -> UUID:
        """Return the session of `token`. The caller must check that the session exists and has not expired.

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

"""Password hashes: two algorithms, told apart by their own prefix."""

import os
from functools import cache
from typing import Literal, get_args

import argon2
import bcrypt

Algorithm = Literal["argon2id", "bcrypt"]

MAX_BYTES = 1024  # longer ones only cost us time
BCRYPT_MAX_BYTES = 72  # the algorithm looks at no more; refusing beats a silent cut
BCRYPT_COST = 10  # seed: invites API, Security Features

# 64 MiB, 3 passes, 4 lanes: RFC 9106 section 4, second recommended option.
_ARGON2 = argon2.PasswordHasher.from_parameters(argon2.profiles.RFC_9106_LOW_MEMORY)


class PasswordTooLong(ValueError):
    pass


def hash_password(password: str, algorithm: Algorithm) -> str:
    """A self-describing hash for storage. About 100 ms and 64 MiB: never on the event loop.

    Raises PasswordTooLong above 72 bytes for bcrypt and above 1,024 bytes for any.
    """
    secret = password.encode()
    if len(secret) > (BCRYPT_MAX_BYTES if algorithm == "bcrypt" else MAX_BYTES):
        raise PasswordTooLong
    if algorithm == "argon2id":
        return _ARGON2.hash(secret)
    return bcrypt.hashpw(secret, bcrypt.gensalt(BCRYPT_COST)).decode()


def verify_password(password: str, password_hash: str | None) -> bool:
    """Whether `password` made `password_hash`; None is an unknown user's, and never matches.

    Always runs each algorithm once, so that the time tells neither who exists nor through which door they came.
    """
    secret, known = password.encode(), password_hash or ""
    is_argon2, is_bcrypt = known.startswith("$argon2id$"), known.startswith("$2")
    by_argon2 = _verify_argon2(secret, known if is_argon2 else _nobodys("argon2id"))
    by_bcrypt = _verify_bcrypt(secret, known if is_bcrypt else _nobodys("bcrypt"))
    return (is_argon2 and by_argon2) or (is_bcrypt and by_bcrypt)


def prepare() -> None:
    """Make now what the first `verify_password` would have to make, and would take longer for."""
    for algorithm in get_args(Algorithm):
        _nobodys(algorithm)


@cache
def _nobodys(algorithm: Algorithm) -> str:
    """What is compared when there is nothing to compare with, for the time it takes; a match never counts."""
    return hash_password(os.urandom(16).hex(), algorithm)


def _verify_argon2(secret: bytes, password_hash: str) -> bool:
    try:
        return _ARGON2.verify(password_hash, secret[:MAX_BYTES]) and len(secret) <= MAX_BYTES
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


def _verify_bcrypt(secret: bytes, password_hash: str) -> bool:
    try:
        matches = bcrypt.checkpw(secret[:BCRYPT_MAX_BYTES], password_hash.encode())
    except ValueError:  # damaged
        return False
    return matches and len(secret) <= BCRYPT_MAX_BYTES

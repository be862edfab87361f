"""Password hashes with argon2id or bcrypt. The prefix of a hash names its algorithm."""

import os
from dataclasses import replace
from functools import cache
from typing import Literal, get_args

import argon2
import bcrypt

Algorithm = Literal["argon2id", "bcrypt"]

MAX_BYTES = 1024  # bounds the time of hashing
BCRYPT_MAX_BYTES = 72  # bcrypt ignores further bytes; longer passwords are refused instead of truncated
BCRYPT_COST = 10  # COMPAT(invites): the contract asks for this cost

# 64 MiB, 3 passes, 4 lanes: RFC 9106 section 4, second recommended option.
_RECOMMENDED = argon2.profiles.RFC_9106_LOW_MEMORY
MEMORY_MIB = _RECOMMENDED.memory_cost // 1024


class PasswordTooLong(ValueError):
    """The password is longer than its algorithm allows."""


def hash_password(password: str, algorithm: Algorithm, memory_mib: int = MEMORY_MIB) -> str:
    """Return a hash of `password` that names its algorithm and parameters.

    argon2id takes `memory_mib` of memory, and 100 ms with 64 MiB, so never call it on the event loop.

    Raises PasswordTooLong above 72 bytes for bcrypt and above 1,024 bytes for any.
    """
    secret = password.encode()
    if len(secret) > (BCRYPT_MAX_BYTES if algorithm == "bcrypt" else MAX_BYTES):
        raise PasswordTooLong
    if algorithm == "argon2id":
        return _argon2(memory_mib).hash(secret)
    return bcrypt.hashpw(secret, bcrypt.gensalt(BCRYPT_COST)).decode()


def verify_password(password: str, password_hash: str | None, memory_mib: int = MEMORY_MIB) -> bool:
    """Tell whether `password` matches `password_hash`. None, for an unknown user, never matches.

    It always runs both algorithms once. So the time reveals neither whether the user exists nor which API created the
    account, if all hashes were made with `memory_mib`.
    """
    secret, known = password.encode(), password_hash or ""
    is_argon2, is_bcrypt = known.startswith("$argon2id$"), known.startswith("$2")
    by_argon2 = _verify_argon2(secret, known if is_argon2 else _dummy_hash("argon2id", memory_mib))
    by_bcrypt = _verify_bcrypt(secret, known if is_bcrypt else _dummy_hash("bcrypt", memory_mib))
    return (is_argon2 and by_argon2) or (is_bcrypt and by_bcrypt)


def prepare(memory_mib: int) -> None:
    """Compute the dummy hashes in advance, so that the first `verify_password` does not take longer."""
    for algorithm in get_args(Algorithm):
        _dummy_hash(algorithm, memory_mib)


@cache
def _argon2(memory_mib: int) -> argon2.PasswordHasher:
    return argon2.PasswordHasher.from_parameters(replace(_RECOMMENDED, memory_cost=memory_mib * 1024))


@cache
def _dummy_hash(algorithm: Algorithm, memory_mib: int) -> str:
    """Return a dummy hash, to compare with if there is no hash of this algorithm. A match with it does not count."""
    return hash_password(os.urandom(16).hex(), algorithm, memory_mib)


def _verify_argon2(secret: bytes, password_hash: str) -> bool:
    try:
        return _argon2(MEMORY_MIB).verify(password_hash, secret[:MAX_BYTES]) and len(secret) <= MAX_BYTES
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


def _verify_bcrypt(secret: bytes, password_hash: str) -> bool:
    try:
        matches = bcrypt.checkpw(secret[:BCRYPT_MAX_BYTES], password_hash.encode())
    except ValueError:  # malformed hash
        return False
    return matches and len(secret) <= BCRYPT_MAX_BYTES

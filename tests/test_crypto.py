"""Passwords, tokens and wrapped keys."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import argon2
import bcrypt
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from crypto.conversation_keys import KeyWrapper, UnreadableKey, fingerprint, new_key
from crypto.passwords import Algorithm, PasswordTooLong, hash_password, verify_password
from crypto.tokens import InvalidToken, Tokens

SECRET = "0123456789abcdef" * 4
NOW = datetime(2026, 1, 18, 10, 30, tzinfo=UTC)
LIFE = timedelta(days=1)
ALGORITHMS: list[Algorithm] = ["argon2id", "bcrypt"]

# Passwords


@pytest.mark.real_hashes
@pytest.mark.parametrize(
    ("algorithm", "prefix"), [("argon2id", "$argon2id$v=19$m=65536,t=3,p=4$"), ("bcrypt", "$2b$10$")]
)
def test_password_hash_has_the_prefix_of_its_algorithm(algorithm: Algorithm, prefix: str) -> None:
    made = hash_password("Secret1pass", algorithm)
    assert made.startswith(prefix)
    assert made != hash_password("Secret1pass", algorithm), "each hash has its own salt"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(
    ("password", "other"),
    [("Secret1pass", "secret1pass"), ("é🙂" * 10, "é🙂" * 9), ("a\0b", "a"), ("a\0b", "a\0c")],
    ids=["plain", "many bytes", "prefix before U+0000", "different after U+0000"],
)
def test_password_hash_matches_its_password_only(algorithm: Algorithm, password: str, other: str) -> None:
    made = hash_password(password, algorithm)
    assert verify_password(password, made)
    assert not verify_password(other, made)


@pytest.mark.parametrize("password", ["\0nobody", ""], ids=ascii)
def test_password_of_the_stand_in_hash_matches_no_account(password: str) -> None:
    """The stand-in hash for unknown users must match no password."""
    for algorithm in ALGORITHMS:
        assert not verify_password(password, hash_password("Secret1pass", algorithm))
    assert not verify_password(password, None)


@pytest.mark.parametrize(("algorithm", "limit"), [("argon2id", 1024), ("bcrypt", 72)])
def test_password_over_the_byte_limit_is_refused(algorithm: Algorithm, limit: int) -> None:
    longest = "é" * (limit // 2)
    made = hash_password(longest, algorithm)
    assert verify_password(longest, made)
    assert not verify_password(longest + "x", made)
    with pytest.raises(PasswordTooLong):
        hash_password(longest + "x", algorithm)


@pytest.mark.parametrize(
    "password_hash",
    [
        pytest.param(None, id="an unknown user"),
        pytest.param("", id="empty"),
        pytest.param("Secret1pass", id="plain text"),
        pytest.param("$2b$10$", id="bcrypt without salt"),
        pytest.param("$2", id="truncated bcrypt"),
        pytest.param("$2b$99$" + "a" * 53, id="bcrypt with invalid cost"),
        pytest.param("$2b$10$é", id="bcrypt not in ASCII"),
        pytest.param("$argon2id$", id="argon2 without parameters"),
        pytest.param("$argon2id$v=19$m=65536,t=3,p=4$AAAA$!!!!", id="damaged argon2"),
        pytest.param("$argon2i$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b4dWRWJTmaaJObG", id="argon2i"),
        pytest.param("$6$salt$hash", id="SHA-512 crypt"),
    ],
)
def test_password_hash_of_foreign_format_matches_nothing(password_hash: str | None) -> None:
    assert verify_password("Secret1pass", password_hash) is False


@pytest.mark.parametrize("known", [None, "argon2id", "bcrypt"])
def test_password_check_runs_both_algorithms(known: Algorithm | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time reveals neither whether the user exists nor at which API they registered."""
    password_hash = known and hash_password("Secret1pass", known)
    ran: list[str] = []

    def counted(name: str, verify: Callable[..., bool]) -> Callable[..., bool]:
        def run(*arguments: Any) -> bool:
            ran.append(name)
            return verify(*arguments)

        return run

    monkeypatch.setattr(argon2.PasswordHasher, "verify", counted("argon2id", argon2.PasswordHasher.verify))
    monkeypatch.setattr(bcrypt, "checkpw", counted("bcrypt", bcrypt.checkpw))
    for password in ("Secret1pass", "wrong"):
        ran.clear()
        assert verify_password(password, password_hash) is (known is not None and password == "Secret1pass")
        assert sorted(ran) == ["argon2id", "bcrypt"]


# Tokens


def forged(claims: dict[str, Any] | None = None, *, key: Any = SECRET, algorithm: str | None = "HS256") -> str:
    usual = {"sid": str(uuid4()), "sub": "1", "iat": NOW, "exp": NOW + LIFE}
    changed = {name: value for name, value in (usual | (claims or {})).items() if value is not ...}
    return jwt.encode(changed, key, algorithm)


def unsigned(header: dict[str, Any], signature: str = "") -> str:
    claims = {"sid": str(uuid4()), "sub": "1", "exp": 4_000_000_000}
    return ".".join(
        [
            *(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (header, claims)),
            signature,
        ]
    )


def test_token_names_its_session() -> None:
    session_id = uuid4()
    assert Tokens(SECRET).session_id(Tokens(SECRET).issue(session_id, 7, NOW, NOW + LIFE)) == session_id
    assert Tokens(SECRET).session_id(forged({"sid": str(session_id)})) == session_id, (
        "forged() makes valid tokens by default"
    )


def test_token_expiry_is_not_checked_against_the_clock() -> None:
    long_ago, ahead = datetime(2000, 1, 1, tzinfo=UTC), datetime.now(UTC) + timedelta(minutes=1)
    session_id = uuid4()
    for issued in (long_ago, ahead):
        assert Tokens(SECRET).session_id(Tokens(SECRET).issue(session_id, 7, issued, issued + LIFE)) == session_id


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("", id="empty"),
        pytest.param("a.b.c", id="garbage"),
        pytest.param("é🙂\0", id="not ASCII"),
        pytest.param("x" * 100_000, id="very long"),
        pytest.param(unsigned({"alg": "none", "typ": "JWT"}), id="alg none"),
        pytest.param(unsigned({"alg": "None"}), id="alg None"),
        pytest.param(unsigned({"alg": "HS256"}), id="no signature"),
        pytest.param(unsigned({}), id="no alg"),
        pytest.param(unsigned({"alg": ["HS256"]}, "AAAA"), id="alg is a list"),
        pytest.param(forged(key="another secret of 32 bytes or more"), id="other secret"),
        pytest.param(forged(algorithm="HS512"), id="HS512 with our secret"),
        pytest.param(forged()[:-2], id="truncated signature"),
        pytest.param(forged() + ".x", id="four parts"),
        pytest.param(forged({"sid": ...}), id="no sid"),
        pytest.param(forged({"sub": ...}), id="no sub"),
        pytest.param(forged({"exp": ...}), id="no exp"),
        pytest.param(forged({"sid": "me"}), id="sid is not a UUID"),
        pytest.param(forged({"sid": 5}), id="sid is a number"),
        pytest.param(forged({"sid": None}), id="sid is null"),
        pytest.param(forged({"sid": [str(uuid4())]}), id="sid is a list"),
        pytest.param(forged({"sid": {"a": 1}}), id="sid is an object"),
    ],
)
def test_token_malformed_or_forged_is_invalid(token: str) -> None:
    with pytest.raises(InvalidToken):
        Tokens(SECRET).session_id(token)


def test_token_over_512_characters_is_invalid() -> None:
    """A long token costs CPU time and space in the cache, also with a valid signature."""
    claims = {"sid": str(uuid4()), "sub": "1", "exp": 1}

    def token(chars: int) -> str:
        made = ""
        for filled in range(chars):
            made = jwt.encode(claims | {"more": "x" * filled}, SECRET.encode(), "HS256")
            if len(made) >= chars:
                break
        return made

    assert len(token(512)) == 512
    assert str(Tokens(SECRET).session_id(token(512))) == claims["sid"]
    with pytest.raises(InvalidToken):
        Tokens(SECRET).session_id(token(513))


def test_token_signed_with_rs256_is_invalid() -> None:
    """Algorithm confusion, RFC 8725 section 2.1: the header must not choose how the secret is used."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )
    for secret in (SECRET, public):
        with pytest.raises(InvalidToken):
            Tokens(secret).session_id(forged(key=key, algorithm="RS256"))


# Keys of conversations


def test_wrapped_key_of_an_earlier_version_unwraps() -> None:
    """Pending keys are in the database during an upgrade, so their additional data must not change."""
    wrapped = bytes.fromhex(
        "b87747ed77be786b4747915c174029b8d6da2abe8a1ef15780fee1e07827"
        "dc39fae3dad8587bb1273e2ab3bf6063d97bae61726b33a19e6e846fae6f"
    )
    assert KeyWrapper(b"k" * 32).unwrap(wrapped, UUID(int=1), 7) == bytes(range(32))


def test_wrapped_key_unwraps_for_its_conversation_and_user_only() -> None:
    wrapper, key, conversation = KeyWrapper(b"k" * 32), new_key(), uuid4()
    wrapped = wrapper.wrap(key, conversation, 7)
    assert len(wrapped) == 60
    assert key not in wrapped
    assert wrapper.unwrap(wrapped, conversation, 7) == key
    assert wrapped != wrapper.wrap(key, conversation, 7), "each wrapping has its own nonce"
    for other_wrapper, other_conversation, recipient in (
        (wrapper, conversation, 8),
        (wrapper, uuid4(), 7),
        (KeyWrapper(b"l" * 32), conversation, 7),
        (wrapper, UUID(int=conversation.int ^ 1), 7),
    ):
        with pytest.raises(UnreadableKey):
            other_wrapper.unwrap(wrapped, other_conversation, recipient)


def test_wrapped_key_damaged_or_truncated_is_unreadable() -> None:
    wrapper, conversation = KeyWrapper(b"k" * 32), uuid4()
    wrapped = wrapper.wrap(new_key(), conversation, 7)
    damaged = [wrapped[:at] + bytes([wrapped[at] ^ 1]) + wrapped[at + 1 :] for at in range(len(wrapped))]
    cut = [wrapped[:length] for length in range(len(wrapped))]
    for broken in [*damaged, *cut, wrapped + b"\0"]:
        with pytest.raises(UnreadableKey):
            wrapper.unwrap(broken, conversation, 7)


@pytest.mark.parametrize("length", [0, 16, 24, 31, 33, 64])
def test_key_encryption_key_of_other_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        KeyWrapper(b"k" * length)


def test_new_keys_differ_and_so_do_their_fingerprints() -> None:
    one, other = new_key(), new_key()
    assert len(one) == len(other) == 32
    assert one != other
    assert fingerprint(one) == fingerprint(bytes(one)) != fingerprint(other)
    assert len(fingerprint(one)) == 32


def test_token_with_junk_is_invalid() -> None:
    tokens = Tokens(SECRET)
    token = tokens.issue(uuid4(), 1, NOW, NOW + LIFE)
    for other in (token + "!", token + "!" * 1000, token[:-3] + "!" + token[-3:]):
        with pytest.raises(InvalidToken):
            tokens.session_id(other)

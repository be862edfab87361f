"""Rules for usernames, e-mail addresses, bios and passwords. Pure; each raises Invalid."""

import re

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from precis_i18n import get_profile

from chat.errors import Invalid
from chat.model.accounts import Username
from crypto.passwords import BCRYPT_MAX_BYTES, MAX_BYTES, Algorithm

USERNAME_MAX_CHARS = 20  # docs/invites-api.md, POST /register
TYPED_MAX_CHARS = 80  # before normalisation, whose cost grows with the length
EMAIL_MAX_CHARS = 254  # RFC 5321 section 4.5.3.1.3, without the angle brackets
RESERVED = {"admin"}  # only ADMIN_PASSWORD and the command line create these
BIO_MAX_CHARS = 2_000

# Domains outside the public DNS are valid on a private network and in tests.
for _domain in ("arpa", "local", "localhost", "test"):
    SPECIAL_USE_DOMAIN_NAMES.remove(_domain)

_SHOWN = get_profile("UsernameCasePreserved")  # RFC 8265 section 3.4
_UNIQUE = get_profile("UsernameCaseMapped:CaseFold")


def username(text: str, *, reserved: bool = False) -> Username:
    """Normalise a username. With `reserved`, also accept names that only the operator may assign."""
    if len(text) > TYPED_MAX_CHARS:
        raise Invalid("Username must be at most 20 characters")
    try:
        name = _SHOWN.enforce(text)
        key = _UNIQUE.enforce(name)
    except UnicodeEncodeError as error:
        raise Invalid("Username must be 1 to 20 letters, digits or symbols, without spaces") from error
    if len(name) > USERNAME_MAX_CHARS:
        raise Invalid("Username must be at most 20 characters")
    if key in RESERVED and not reserved:
        raise Invalid("This username is reserved")
    return Username(name, key)


def username_key(text: str) -> str:
    """Return the key to look up a username by; "" for an invalid one, which no account has."""
    try:
        return username(text, reserved=True).key
    except Invalid:
        return ""


def email(text: str) -> str:
    """Normalise an e-mail address. Domains of a home network (`kim@nas.local`) are accepted."""
    if len(text) > EMAIL_MAX_CHARS:
        raise Invalid("Invalid e-mail address: too long")
    try:
        found = validate_email(text, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError as error:
        raise Invalid(f"Invalid e-mail address: {error}") from error
    return found.normalized


def email_key(text: str) -> str:
    """Return the key to look up an e-mail address by; "" for an invalid one, which no account has."""
    try:
        return email(text).lower()
    except Invalid:
        return ""


def bio(text: str) -> str:
    """Check the text that users write about themselves."""
    no_nul(text)
    if len(text) > BIO_MAX_CHARS:
        raise Invalid(f"Bio must be at most {BIO_MAX_CHARS:,} characters")
    return text


def password_of_codes(password: str) -> str:
    """Check a password by the rules of docs/codes-api.md, POST /api/auth/register."""
    if len(password) < 6:
        raise Invalid("Password must be at least 6 characters")
    for pattern, what in (("[A-Z]", "an uppercase letter"), ("[a-z]", "a lowercase letter"), ("[0-9]", "a digit")):
        if not re.search(pattern, password):
            raise Invalid(f"Password must contain {what}")
    return check_password_length(password, "argon2id")


def password_of_invites(password: str) -> str:
    """Check a password by the rules of docs/invites-api.md, POST /register. bcrypt reads only the first 72 bytes."""
    if len(password) < 8:
        raise Invalid("Password must be at least 8 characters")
    return check_password_length(password, "bcrypt")


def password_of_operator(password: str) -> str:
    """Check a password that the operator sets: at least 8 characters, as NIST SP 800-63B requires."""
    if len(password) < 8:
        raise Invalid("Password must be at least 8 characters")
    return check_password_length(password, "argon2id")


def check_password_length(password: str, algorithm: Algorithm) -> str:
    """Refuse a password of more bytes than `algorithm` hashes; return it otherwise."""
    limit = BCRYPT_MAX_BYTES if algorithm == "bcrypt" else MAX_BYTES
    if len(password.encode()) > limit:
        raise Invalid(f"Password must be at most {limit:,} bytes")
    return password


def no_nul(text: str) -> None:
    """Refuse U+0000, which PostgreSQL's `text` cannot store."""
    if "\0" in text:
        raise Invalid("The text must not contain U+0000")

"""What a user name, an e-mail address and a password may look like. Pure rules; each raises Invalid."""

import re

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from precis_i18n import get_profile

from chat.errors import Invalid
from chat.model.accounts import Username
from crypto.passwords import BCRYPT_MAX_BYTES, MAX_BYTES, Algorithm

USERNAME_MAX_CHARS = 20  # seed: invites API, POST /register
TYPED_MAX_CHARS = 80  # before normalisation, which is not for texts of megabytes
EMAIL_MAX_CHARS = 254  # RFC 5321 section 4.5.3.1.3, less the brackets
RESERVED = {"admin"}  # made by ADMIN_PASSWORD or the command line only
BIO_MAX_CHARS = 2_000

# Names without a place in the public DNS are fine in a house of one's own, and in a test.
for _domain in ("arpa", "local", "localhost", "test"):
    SPECIAL_USE_DOMAIN_NAMES.remove(_domain)

_SHOWN = get_profile("UsernameCasePreserved")  # RFC 8265 section 3.4
_UNIQUE = get_profile("UsernameCaseMapped:CaseFold")


def username(text: str, *, reserved: bool = False) -> Username:
    """`reserved`: also accept the names that only the operator may give."""
    if len(text) > TYPED_MAX_CHARS:
        raise Invalid("A user name has at most 20 characters")
    try:
        name = _SHOWN.enforce(text)
        key = _UNIQUE.enforce(name)
    except UnicodeEncodeError as error:
        raise Invalid("A user name is 1 to 20 letters, digits or signs, without spaces") from error
    if len(name) > USERNAME_MAX_CHARS:
        raise Invalid("A user name has at most 20 characters")
    if key in RESERVED and not reserved:
        raise Invalid("This user name is reserved")
    return Username(name, key)


def username_key(text: str) -> str:
    """What `text` is looked up by; text that can be nobody's name gives "", which nobody has."""
    try:
        return username(text, reserved=True).key
    except Invalid:
        return ""


def email(text: str) -> str:
    """The address in its normal form. Addresses on a home network (`kim@nas.local`) are fine."""
    if len(text) > EMAIL_MAX_CHARS:
        raise Invalid("Invalid e-mail address: too long")
    try:
        found = validate_email(text, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError as error:
        raise Invalid(f"Invalid e-mail address: {error}") from error
    return found.normalized


def email_key(text: str) -> str:
    """What `text` is looked up by; text that is no address gives "", which nobody has."""
    try:
        return email(text).lower()
    except Invalid:
        return ""


def bio(text: str) -> str:
    no_nul(text)
    if len(text) > BIO_MAX_CHARS:
        raise Invalid(f"A bio has at most {BIO_MAX_CHARS:,} characters")
    return text


def password_of_codes(password: str) -> str:
    """Seed: codes API, POST /api/auth/register."""
    if len(password) < 6:
        raise Invalid("Password must be at least 6 characters")
    for pattern, what in (("[A-Z]", "an uppercase letter"), ("[a-z]", "a lowercase letter"), ("[0-9]", "a digit")):
        if not re.search(pattern, password):
            raise Invalid(f"Password must contain {what}")
    return short_enough(password, "argon2id")


def password_of_invites(password: str) -> str:
    """Seed: invites API, POST /register. Its hashes are bcrypt's, which looks at 72 bytes only."""
    if len(password) < 8:
        raise Invalid("Password must be at least 8 characters")
    return short_enough(password, "bcrypt")


def password_of_operator(password: str) -> str:
    """What the command line and ADMIN_PASSWORD may set: NIST SP 800-63B asks for eight characters."""
    if len(password) < 8:
        raise Invalid("Password must be at least 8 characters")
    return short_enough(password, "argon2id")


def short_enough(password: str, algorithm: Algorithm) -> str:
    limit = BCRYPT_MAX_BYTES if algorithm == "bcrypt" else MAX_BYTES
    if len(password.encode()) > limit:
        raise Invalid(f"Password must be at most {limit:,} bytes")
    return password


def no_nul(text: str) -> None:
    """PostgreSQL's text cannot hold U+0000."""
    if "\0" in text:
        raise Invalid("U+0000 is not allowed")

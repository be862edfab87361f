"""Rules for user names, e-mail addresses, passwords and bios, as tables."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.accounts import validation
from chat.errors import Invalid

ACCEPTED = [
    pytest.param("alice", "alice", "alice", id="plain"),
    pytest.param("Alice", "Alice", "alice", id="case is kept and folded in the key"),
    pytest.param("foo@bar", "foo@bar", "foo@bar", id="RFC 8265 3.5 example 2: a sign"),
    pytest.param("fußball", "fußball", "fussball", id="RFC 8265 3.5 example 4: sharp s"),
    pytest.param("π", "π", "π", id="RFC 8265 3.5 example 5: greek"),
    pytest.param("Σ", "Σ", "\u03c3", id="RFC 8265 3.5 example 6: capital sigma"),
    pytest.param("\u03c3ς", "\u03c3ς", "\u03c3\u03c3", id="RFC 8265 3.5 example 7: final sigma folds to sigma"),
    pytest.param("\uff2a\uff4f\uff45", "Joe", "joe", id="full width becomes half width"),
    pytest.param("e\u0301va", "éva", "éva", id="a combining accent is composed"),
    pytest.param("אבג", "אבג", "אבג", id="right to left"),
    pytest.param("x", "x", "x", id="one character"),
    pytest.param("a" * 20, "a" * 20, "a" * 20, id="twenty"),
    pytest.param("é" * 20, "é" * 20, "é" * 20, id="twenty of two bytes each"),
    pytest.param("e\u0301" * 20, "é" * 20, "é" * 20, id="twenty after composition"),
    pytest.param("漢" * 20, "漢" * 20, "漢" * 20, id="twenty of three bytes each"),
]

REFUSED = [
    pytest.param("", id="empty"),
    pytest.param("foo bar", id="RFC 8265 3.5 example 8: a space"),
    pytest.param("foo ", id="a space at the end"),
    pytest.param(" ", id="only a space"),
    pytest.param("a\u3000b", id="an ideographic space"),
    pytest.param("a\tb", id="a tab"),
    pytest.param("henry\u2163", id="RFC 8265 3.5 example 10: roman four, a compatibility character"),
    pytest.param("\ufb01n", id="a ligature, a compatibility character"),
    pytest.param("\u265a", id="RFC 8265 3.5 example 11: a symbol"),
    pytest.param("🙂", id="an emoji"),
    pytest.param("a\u200bb", id="a zero-width space"),
    pytest.param("\u202ealice", id="a direction override"),
    pytest.param("אa", id="mixed directions, RFC 5893"),
    pytest.param("a\0b", id="U+0000"),
    pytest.param("a\ud800", id="a lone surrogate"),
    pytest.param("a" * 21, id="twenty-one"),
    pytest.param("a" * 1_000_000, id="a megabyte"),
    pytest.param("admin", id="reserved"),
    pytest.param("ADMIN", id="reserved, in capitals"),
    pytest.param("\uff21\uff24\uff2d\uff29\uff2e", id="reserved, full width"),
]


@pytest.mark.parametrize(("typed", "name", "key"), ACCEPTED)
def test_username_gives_display_form_and_unique_key(typed: str, name: str, key: str) -> None:
    assert validation.username(typed) == validation.Username(name, key)
    assert validation.username_key(typed) == key


@pytest.mark.parametrize("typed", REFUSED)
def test_username_invalid_is_refused(typed: str) -> None:
    with pytest.raises(Invalid):
        validation.username(typed)


@pytest.mark.parametrize("typed", ["alice", "ALICE", "aLiCe", "\uff41\uff4c\uff49\uff43\uff45"])
def test_username_look_alike_spellings_have_one_key(typed: str) -> None:
    assert validation.username_key(typed) == "alice"


def test_username_reserved_is_allowed_to_the_operator() -> None:
    assert validation.username("Admin", reserved=True) == validation.Username("Admin", "admin")


@pytest.mark.parametrize("typed", ["", "foo bar", "a\0b", "a\ud800", "a" * 21])
def test_username_key_of_an_invalid_name_is_empty(typed: str) -> None:
    assert validation.username_key(typed) == ""


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=25))
def test_username_normalisation_is_idempotent(typed: str) -> None:
    try:
        once = validation.username(typed)
    except Invalid:
        return
    assert validation.username(once.name) == once
    assert 1 <= len(once.name) <= 20
    assert "\0" not in once.name
    assert " " not in once.name


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        pytest.param("kim@example.com", "kim@example.com", id="plain"),
        pytest.param("Kim@EXAMPLE.com", "Kim@example.com", id="only the domain has no case"),
        pytest.param("kim@пример.рф", "kim@пример.рф", id="an international domain"),
        pytest.param("kim@nas", "kim@nas", id="home network: a bare name"),
        pytest.param("kim@fritz.box", "kim@fritz.box", id="home network: a router's own domain"),
        pytest.param("kim@nas.local", "kim@nas.local", id="home network: mDNS, RFC 6762"),
    ],
)
def test_email_is_normalised(typed: str, normal: str) -> None:
    assert validation.email(typed) == normal
    assert validation.email_key(typed) == normal.lower()


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param("", id="empty"),
        pytest.param("kim", id="no at sign"),
        pytest.param("@example.com", id="no local part"),
        pytest.param("kim@", id="no domain"),
        pytest.param("kim@a@example.com", id="two at signs"),
        pytest.param("kim lee@example.com", id="a space"),
        pytest.param("Kim <kim@example.com>", id="a display name"),
        pytest.param("kim\0@example.com", id="U+0000"),
        pytest.param("kim@example.com\n", id="a line feed"),
        pytest.param("kim\ud800@example.com", id="a lone surrogate"),
        pytest.param("kim@" + "a." * 130 + "com", id="255 characters and more"),
    ],
)
def test_email_invalid_is_refused(typed: str) -> None:
    with pytest.raises(Invalid):
        validation.email(typed)
    assert validation.email_key(typed) == ""


@pytest.mark.parametrize(
    ("password", "complaint"),
    [
        pytest.param("Abc1x", "at least 6", id="five characters"),
        pytest.param("é1Aa", "at least 6", id="six bytes but four characters"),
        pytest.param("abcdef1", "uppercase", id="no uppercase letter"),
        pytest.param("ABCDEF1", "lowercase", id="no lowercase letter"),
        pytest.param("Abcdefg", "digit", id="no digit"),
        pytest.param("", "at least 6", id="empty"),
        pytest.param("Aa1" + "x" * 1022, "1,024 bytes", id="1,025 bytes"),
        pytest.param("Aa1" + "é" * 511, "1,024 bytes", id="1,025 bytes in 514 characters"),
    ],
)
def test_codes_password_weak_or_too_long_is_refused(password: str, complaint: str) -> None:
    with pytest.raises(Invalid, match=complaint):
        validation.password_of_codes(password)


@pytest.mark.parametrize("password", ["Abcd1x", "Aa1" + "x" * 1021, "Aa1" + "é" * 510, "Aa1 🙂🙂🙂"])
def test_codes_password_valid_is_unchanged(password: str) -> None:
    assert validation.password_of_codes(password) == password


@pytest.mark.parametrize(
    ("password", "complaint"),
    [
        pytest.param("1234567", "at least 8", id="seven characters"),
        pytest.param("éééé", "at least 8", id="eight bytes but four characters"),
        pytest.param("x" * 73, "72 bytes", id="73 bytes"),
        pytest.param("é" * 36 + "x", "72 bytes", id="73 bytes in 37 characters"),
    ],
)
def test_invites_password_short_or_over_72_bytes_is_refused(password: str, complaint: str) -> None:
    with pytest.raises(Invalid, match=complaint):
        validation.password_of_invites(password)


@pytest.mark.parametrize("password", ["12345678", "x" * 72, "é" * 36])
def test_invites_password_of_8_characters_to_72_bytes_is_valid(password: str) -> None:
    assert validation.password_of_invites(password) == password


def test_bio_over_2000_characters_or_with_nul_is_refused() -> None:
    assert validation.bio("\n 🙂 <b>" + "é" * 1993) == "\n 🙂 <b>" + "é" * 1993
    with pytest.raises(Invalid, match="2,000"):
        validation.bio("x" * 2001)
    with pytest.raises(Invalid, match=r"U\+0000"):
        validation.bio("a\0b")


def test_nul_is_refused_at_every_position() -> None:
    for text in ("\0", "a\0", "\0a"):
        with pytest.raises(Invalid):
            validation.no_nul(text)
    validation.no_nul("")
    validation.no_nul("\u0001 \u2400")


def test_username_of_80_typed_characters_may_be_20_shown_ones() -> None:
    """No letter has more than four parts, so what is longer cannot become a name and is not normalised at all."""
    letter = "\N{GREEK SMALL LETTER ALPHA WITH PSILI AND VARIA AND YPOGEGRAMMENI}"
    typed = unicodedata.normalize("NFD", letter * 20)
    assert len(typed) == 80
    assert validation.username(typed).name == letter * 20


def test_username_that_is_reserved_is_looked_up_all_the_same() -> None:
    assert validation.username_key("Admin") == "admin"


def test_email_address_has_at_most_254_characters() -> None:
    domain = ".".join(["a" * 60] * 3)
    longest = f"{'b' * 60}@{domain}.{'c' * (254 - 62 - len(domain))}"
    assert len(longest) == 254
    assert validation.email(longest) == longest
    with pytest.raises(Invalid, match="too long"):
        validation.email(f"b{longest}")


def test_password_of_the_operator_has_at_least_8_characters() -> None:
    assert validation.password_of_operator("secret 1") == "secret 1"
    with pytest.raises(Invalid, match="at least 8"):
        validation.password_of_operator("secret1")

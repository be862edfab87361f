"""The local certificate authority and its leaf: what browsers check, renewal, and damaged files."""

import asyncio
import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from run.tls import context as tls
from run.tls.local_ca import Certificate, local_certificate
from testing.server import PATIENCE_S

NAMES = ["localhost", "127.0.0.1", "::1", "nas.local"]
NOW = datetime.now(UTC)


def leaf_of(certificate: Certificate) -> x509.Certificate:
    return x509.load_pem_x509_certificate(certificate.chain.read_bytes())


def files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def handshake(certificate: Certificate, name: str) -> None:
    """Complete a TLS handshake: the server has the leaf; the client trusts the authority and expects `name`."""
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(certificate.chain, certificate.key)
    client_context = ssl.create_default_context(cafile=str(certificate.authority))
    client_context.verify_flags |= ssl.VERIFY_X509_STRICT  # the default from Python 3.13 on
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname=name)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server, client, server):
        with suppress(ssl.SSLWantReadError):
            side.do_handshake()
    client.write(b"here")
    assert server.read() == b"here"


@pytest.mark.parametrize("name", NAMES)
def test_leaf_is_trusted_under_each_of_its_names(tmp_path: Path, name: str) -> None:
    handshake(local_certificate(tmp_path / "tls", NAMES, NOW), name)


def test_leaf_is_not_trusted_under_another_name(tmp_path: Path) -> None:
    certificate = local_certificate(tmp_path / "tls", NAMES, NOW)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(certificate, "example.com")


def test_leaf_is_not_trusted_by_another_authority(tmp_path: Path) -> None:
    ours, theirs = (local_certificate(tmp_path / name, NAMES, NOW) for name in ("ours", "theirs"))
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(ours._replace(authority=theirs.authority), "localhost")


def test_authority_signs_leaves_only_and_leaf_signs_nothing(tmp_path: Path) -> None:
    certificate = local_certificate(tmp_path / "tls", NAMES, NOW)
    authority = x509.load_pem_x509_certificate(certificate.authority.read_bytes())
    limits = authority.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (limits.ca, limits.path_length) == (True, 0)
    assert not leaf_of(certificate).extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    leaf_of(certificate).verify_directly_issued_by(authority)


def test_leaf_lifetime_is_at_most_398_days(tmp_path: Path) -> None:
    leaf = leaf_of(local_certificate(tmp_path / "tls", NAMES, NOW))
    assert leaf.not_valid_before_utc < NOW
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= timedelta(days=398)


def test_keys_are_readable_by_the_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "tls"
    certificate = local_certificate(folder, NAMES, NOW)
    assert folder.stat().st_mode & 0o777 == 0o700
    for key in (certificate.key, folder / "ca.key"):
        assert b"PRIVATE KEY" in key.read_bytes()
        assert key.stat().st_mode & 0o777 == 0o600
    assert b"PRIVATE" not in certificate.chain.read_bytes() + certificate.authority.read_bytes()


def test_certificate_without_changes_is_not_rewritten(tmp_path: Path) -> None:
    first = local_certificate(tmp_path, NAMES, NOW)
    before = files(tmp_path)
    assert sorted(before) == ["ca.key", "ca.pem", "leaf.key", "leaf.pem"], "no temporary file remains"
    again = local_certificate(tmp_path, [*reversed(NAMES), "localhost"], NOW + timedelta(days=300))
    assert again == first
    assert files(tmp_path) == before


@pytest.mark.parametrize(
    ("names", "later"),
    [
        pytest.param([*NAMES, "192.0.2.7"], timedelta(), id="a new address"),
        pytest.param(NAMES[:-1], timedelta(), id="one name fewer"),
        pytest.param(NAMES, timedelta(days=397 - 29), id="29 days before expiry"),
        pytest.param(NAMES, timedelta(days=800), id="long expired"),
    ],
)
def test_leaf_with_new_names_or_near_its_end_is_renewed(tmp_path: Path, names: list[str], later: timedelta) -> None:
    before_leaf = leaf_of(local_certificate(tmp_path, NAMES, NOW))
    before = files(tmp_path)
    renewed = leaf_of(local_certificate(tmp_path, names, NOW + later))
    after = files(tmp_path)
    assert (after["ca.pem"], after["ca.key"]) == (before["ca.pem"], before["ca.key"])
    assert (after["leaf.pem"], after["leaf.key"]) != (before["leaf.pem"], before["leaf.key"])
    assert renewed.serial_number != before_leaf.serial_number
    assert renewed.not_valid_after_utc > NOW + later + timedelta(days=30)
    held = renewed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert sorted(str(name.value) for name in held) == sorted(names)


def test_leaf_31_days_before_its_end_is_kept(tmp_path: Path) -> None:
    local_certificate(tmp_path, NAMES, NOW)
    before = files(tmp_path)
    local_certificate(tmp_path, NAMES, NOW + timedelta(days=397 - 31))
    assert files(tmp_path) == before


@pytest.mark.parametrize(
    ("file", "content"),
    [
        pytest.param("leaf.pem", b"", id="empty leaf"),
        pytest.param("leaf.pem", b"garbage", id="garbage leaf"),
        pytest.param("leaf.pem", b"-----BEGIN CERTIFICATE-----\nMIIB", id="truncated leaf"),
        pytest.param("leaf.key", b"", id="empty key"),
        pytest.param("leaf.key", b"-----BEGIN PRIVATE KEY-----\nMIG", id="truncated key"),
        pytest.param("leaf.pem", None, id="no leaf"),
        pytest.param("leaf.key", None, id="no key"),
        pytest.param("leaf.key.new", b"left over", id="left over by a crash"),
    ],
)
def test_damaged_leaf_is_replaced(tmp_path: Path, file: str, content: bytes | None) -> None:
    certificate = local_certificate(tmp_path, NAMES, NOW)
    authority = certificate.authority.read_bytes()
    (tmp_path / file).unlink(missing_ok=True)
    if content is not None:
        (tmp_path / file).write_bytes(content)
    assert local_certificate(tmp_path, NAMES, NOW) == certificate
    assert certificate.authority.read_bytes() == authority
    handshake(certificate, "localhost")


def test_key_that_does_not_match_the_leaf_is_replaced(tmp_path: Path) -> None:
    """A restored backup, or a crash between the two renames, can leave such a pair."""
    certificate = local_certificate(tmp_path / "one", NAMES, NOW)
    certificate.key.write_bytes(local_certificate(tmp_path / "other", NAMES, NOW).key.read_bytes())
    local_certificate(tmp_path / "one", NAMES, NOW)
    handshake(certificate, "localhost")


def test_authority_without_its_key_is_replaced_with_its_leaf(tmp_path: Path) -> None:
    certificate = local_certificate(tmp_path, NAMES, NOW)
    before = certificate.authority.read_bytes()
    (tmp_path / "ca.key").unlink()
    local_certificate(tmp_path, NAMES, NOW)
    assert certificate.authority.read_bytes() != before
    handshake(certificate, "localhost")


def test_expired_authority_is_replaced(tmp_path: Path) -> None:
    """The authority is valid for ten years; the server must start after that too."""
    certificate = local_certificate(tmp_path, NAMES, NOW - timedelta(days=3660))
    local_certificate(tmp_path, NAMES, NOW)
    handshake(certificate, "localhost")


def test_leaf_for_another_spelling_of_an_address_is_kept(tmp_path: Path) -> None:
    local_certificate(tmp_path, ["::1"], NOW)
    before = files(tmp_path)
    local_certificate(tmp_path, ["0:0:0:0:0:0:0:1"], NOW)
    assert files(tmp_path) == before


# Reload of a running server


def served_leaf(server_context: ssl.SSLContext) -> bytes:
    """The leaf that the server sends, in DER; the client verifies nothing."""
    client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client_context.check_hostname, client_context.verify_mode = False, ssl.CERT_NONE
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server, client, server):
        with suppress(ssl.SSLWantReadError):
            side.do_handshake()
    found = client.getpeercert(binary_form=True)
    assert found is not None
    return found


@pytest.mark.logs("cannot be loaded yet")
async def test_reload_keeps_the_old_pair_until_the_new_is_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "CERTIFICATE_S", 0.01)
    ours, other = (local_certificate(tmp_path / name, NAMES, NOW) for name in ("ours", "other"))
    before, after = (leaf_of(one).public_bytes(Encoding.DER) for one in (ours, other))
    context = tls.tls_context(ours.chain, ours.key)
    reloading = asyncio.create_task(tls.reload_certificate(context, ours.chain, ours.key))
    await asyncio.sleep(0.05)
    ours.chain.write_bytes(other.chain.read_bytes())
    await asyncio.sleep(0.1)
    assert served_leaf(context) == before
    ours.key.write_bytes(other.key.read_bytes())
    async with asyncio.timeout(PATIENCE_S):
        while served_leaf(context) != after:
            await asyncio.sleep(0.02)
    reloading.cancel()

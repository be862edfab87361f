"""The local authority and its leaf: what browsers check, and what happens to the files over the years."""

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
    """TLS between a server with the leaf and a client that trusts the authority alone and believes to reach `name`."""
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate.chain, certificate.key)
    asking = ssl.create_default_context(cafile=str(certificate.authority))
    asking.verify_flags |= ssl.VERIFY_X509_STRICT  # the default from Python 3.13 on
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = asking.wrap_bio(to_client, to_server, server_hostname=name)
    server = serving.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server, client, server):
        with suppress(ssl.SSLWantReadError):
            side.do_handshake()
    client.write(b"here")
    assert server.read() == b"here"


@pytest.mark.parametrize("name", NAMES)
def test_a_client_that_trusts_the_authority_trusts_the_server_by_each_of_its_names(tmp_path: Path, name: str) -> None:
    handshake(local_certificate(tmp_path / "tls", NAMES, NOW), name)


def test_a_name_that_was_not_asked_for_is_not_trusted(tmp_path: Path) -> None:
    certificate = local_certificate(tmp_path / "tls", NAMES, NOW)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(certificate, "example.com")


def test_another_households_authority_is_not_trusted(tmp_path: Path) -> None:
    ours, theirs = (local_certificate(tmp_path / name, NAMES, NOW) for name in ("ours", "theirs"))
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(ours._replace(authority=theirs.authority), "localhost")


def test_the_authority_can_only_sign_and_the_leaf_can_only_serve(tmp_path: Path) -> None:
    certificate = local_certificate(tmp_path / "tls", NAMES, NOW)
    authority = x509.load_pem_x509_certificate(certificate.authority.read_bytes())
    limits = authority.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (limits.ca, limits.path_length) == (True, 0)
    assert not leaf_of(certificate).extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    leaf_of(certificate).verify_directly_issued_by(authority)


def test_a_leaf_lives_no_longer_than_browsers_accept(tmp_path: Path) -> None:
    leaf = leaf_of(local_certificate(tmp_path / "tls", NAMES, NOW))
    assert leaf.not_valid_before_utc < NOW
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= timedelta(days=398)


def test_only_the_owner_reads_the_keys(tmp_path: Path) -> None:
    folder = tmp_path / "tls"
    certificate = local_certificate(folder, NAMES, NOW)
    assert folder.stat().st_mode & 0o777 == 0o700
    for key in (certificate.key, folder / "ca.key"):
        assert b"PRIVATE KEY" in key.read_bytes()
        assert key.stat().st_mode & 0o777 == 0o600
    assert b"PRIVATE" not in certificate.chain.read_bytes() + certificate.authority.read_bytes()


def test_nothing_is_written_while_nothing_changes(tmp_path: Path) -> None:
    first = local_certificate(tmp_path, NAMES, NOW)
    before = files(tmp_path)
    assert sorted(before) == ["ca.key", "ca.pem", "leaf.key", "leaf.pem"], "nothing half-written stays"
    again = local_certificate(tmp_path, [*reversed(NAMES), "localhost"], NOW + timedelta(days=300))
    assert again == first
    assert files(tmp_path) == before


@pytest.mark.parametrize(
    ("names", "later"),
    [
        pytest.param([*NAMES, "192.0.2.7"], timedelta(), id="a new address"),
        pytest.param(NAMES[:-1], timedelta(), id="a name less"),
        pytest.param(NAMES, timedelta(days=397 - 29), id="29 days before its end"),
        pytest.param(NAMES, timedelta(days=800), id="long expired"),
    ],
)
def test_a_leaf_is_renewed_in_time_and_the_authority_is_kept(
    tmp_path: Path, names: list[str], later: timedelta
) -> None:
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


def test_a_leaf_is_kept_31_days_before_its_end(tmp_path: Path) -> None:
    local_certificate(tmp_path, NAMES, NOW)
    before = files(tmp_path)
    local_certificate(tmp_path, NAMES, NOW + timedelta(days=397 - 31))
    assert files(tmp_path) == before


@pytest.mark.parametrize(
    ("file", "content"),
    [
        pytest.param("leaf.pem", b"", id="empty leaf"),
        pytest.param("leaf.pem", b"garbage", id="garbage leaf"),
        pytest.param("leaf.pem", b"-----BEGIN CERTIFICATE-----\nMIIB", id="half a leaf"),
        pytest.param("leaf.key", b"", id="empty key"),
        pytest.param("leaf.key", b"-----BEGIN PRIVATE KEY-----\nMIG", id="half a key"),
        pytest.param("leaf.pem", None, id="no leaf"),
        pytest.param("leaf.key", None, id="no key"),
        pytest.param("leaf.key.new", b"left over", id="what a crash left over"),
    ],
)
def test_a_damaged_leaf_is_replaced(tmp_path: Path, file: str, content: bytes | None) -> None:
    certificate = local_certificate(tmp_path, NAMES, NOW)
    authority = certificate.authority.read_bytes()
    (tmp_path / file).unlink(missing_ok=True)
    if content is not None:
        (tmp_path / file).write_bytes(content)
    assert local_certificate(tmp_path, NAMES, NOW) == certificate
    assert certificate.authority.read_bytes() == authority
    handshake(certificate, "localhost")


def test_a_key_that_is_not_the_leafs_is_replaced(tmp_path: Path) -> None:
    """As a restored backup, or a crash between the two renames, may leave them."""
    certificate = local_certificate(tmp_path / "one", NAMES, NOW)
    certificate.key.write_bytes(local_certificate(tmp_path / "other", NAMES, NOW).key.read_bytes())
    local_certificate(tmp_path / "one", NAMES, NOW)
    handshake(certificate, "localhost")


def test_when_half_of_the_authority_is_lost_there_is_a_new_one_with_a_leaf_of_its_own(tmp_path: Path) -> None:
    certificate = local_certificate(tmp_path, NAMES, NOW)
    before = certificate.authority.read_bytes()
    (tmp_path / "ca.key").unlink()
    local_certificate(tmp_path, NAMES, NOW)
    assert certificate.authority.read_bytes() != before
    handshake(certificate, "localhost")


def test_an_authority_that_has_expired_is_replaced(tmp_path: Path) -> None:
    """Ten years on, the server must still start."""
    certificate = local_certificate(tmp_path, NAMES, NOW - timedelta(days=3660))
    local_certificate(tmp_path, NAMES, NOW)
    handshake(certificate, "localhost")


def test_an_address_in_another_spelling_is_the_same_address(tmp_path: Path) -> None:
    local_certificate(tmp_path, ["::1"], NOW)
    before = files(tmp_path)
    local_certificate(tmp_path, ["0:0:0:0:0:0:0:1"], NOW)
    assert files(tmp_path) == before


# While it serves


def served(serving: ssl.SSLContext) -> bytes:
    """The leaf that a client gets; it looks at nothing else."""
    asking = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    asking.check_hostname, asking.verify_mode = False, ssl.CERT_NONE
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = asking.wrap_bio(to_client, to_server)
    server = serving.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server, client, server):
        with suppress(ssl.SSLWantReadError):
            side.do_handshake()
    found = client.getpeercert(binary_form=True)
    assert found is not None
    return found


@pytest.mark.logs("cannot be loaded yet")
async def test_a_new_certificate_is_served_once_its_key_is_there_and_the_old_one_until_then(
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
    assert served(context) == before
    ours.key.write_bytes(other.key.read_bytes())
    async with asyncio.timeout(PATIENCE_S):
        while served(context) != after:
            await asyncio.sleep(0.02)
    reloading.cancel()

"""A local certificate authority, and a server certificate (leaf) that it signs, for machines without a public name."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from crypto.files import write_private

CA_LIFE = timedelta(days=3650)
LEAF_LIFE = timedelta(days=397)  # browsers refuse longer ones
RENEW_BEFORE = timedelta(days=30)
BACKDATED = timedelta(hours=1)  # for clients whose clock is slow


class Certificate(NamedTuple):
    """Paths of PEM files: the certificate chain, its private key (mode 0600), and the authority to trust."""

    chain: Path
    key: Path
    authority: Path


def local_certificate(folder: Path, hosts: Iterable[str], now: datetime) -> Certificate:
    """Return the leaf for `hosts` (names and addresses) in `folder`; issue it if it is missing, too old or different.

    The authority is generated once, so devices that trust it also trust renewed leaves. Raises OSError, ValueError.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    files = Certificate(folder / "leaf.pem", folder / "leaf.key", folder / "ca.pem")
    ca_key_file = folder / "ca.key"
    wanted = sorted({str(_general_name(host).value) for host in hosts})
    if not _can_sign(files.authority, ca_key_file, now):
        ca_key = ec.generate_private_key(ec.SECP256R1())
        write_private(ca_key_file, _private_pem(ca_key))
        write_private(files.authority, _authority(ca_key, now).public_bytes(serialization.Encoding.PEM))
    authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
    if not _serves(files, authority, wanted, now):
        ca_key = serialization.load_pem_private_key(ca_key_file.read_bytes(), password=None)  # type: ignore[assignment]
        leaf_key = ec.generate_private_key(ec.SECP256R1())
        leaf = _leaf(leaf_key, authority, ca_key, wanted, now)
        # The two files do not change atomically; `reload_certificate` retries if it sees a new key with the old chain.
        write_private(files.key, _private_pem(leaf_key))
        write_private(files.chain, leaf.public_bytes(serialization.Encoding.PEM))
    return files


def _can_sign(authority_file: Path, key_file: Path, now: datetime) -> bool:
    if not (authority_file.exists() and key_file.exists()):
        return False
    return x509.load_pem_x509_certificate(authority_file.read_bytes()).not_valid_after_utc - RENEW_BEFORE > now


def _serves(files: Certificate, authority: x509.Certificate, wanted: list[str], now: datetime) -> bool:
    """Tell whether the leaf is complete, signed by `authority`, issued for `wanted`, and not due for renewal."""
    try:
        leaf = x509.load_pem_x509_certificate(files.chain.read_bytes())
        leaf.verify_directly_issued_by(authority)
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        key = serialization.load_pem_private_key(files.key.read_bytes(), password=None)
        if key.public_key() != leaf.public_key():
            return False
    except (OSError, ValueError, TypeError, x509.ExtensionNotFound, InvalidSignature):
        return False
    found = sorted(str(name.value) for name in names)
    return found == wanted and leaf.not_valid_after_utc - RENEW_BEFORE > now


def _authority(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    # The number makes authorities of several servers distinguishable in a trust store.
    serial = x509.random_serial_number()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Sottovoce local CA {serial % 10**6:06d}")])
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + CA_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _leaf(
    key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    ca_key: ec.EllipticCurvePrivateKey,
    hosts: list[str],
    now: datetime,
) -> x509.Certificate:
    authority_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Sottovoce")]))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(min(now + LEAF_LIFE, authority.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general_name(host) for host in hosts]), critical=False)
        .add_extension(authority_key, critical=False)
        .sign(ca_key, hashes.SHA256())
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )

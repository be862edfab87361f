"""The server's certificate: the operator's own, or one that the local authority issues for this machine."""

import socket
from datetime import UTC, datetime
from ipaddress import ip_address

import psutil

from run.config.settings import Settings
from run.tls.local_ca import Certificate, local_certificate


def certificate(settings: Settings) -> Certificate:
    """Return the operator's certificate, or a local one for the names and addresses of this machine.

    A local certificate is created or renewed if necessary. Raises OSError, ValueError.
    """
    if settings.tls_cert is not None and settings.tls_key is not None:
        return Certificate(settings.tls_cert, settings.tls_key, settings.tls_cert)
    return local_certificate(settings.data_dir / "tls", machine_names(settings.https_bind_addr), datetime.now(UTC))


def machine_names(bind_address: str) -> list[str]:
    """Return the names and addresses by which a browser in the local network can reach this machine.

    A server that listens on one address only is not reachable at the others.
    """
    name = socket.gethostname()
    named = [name, f"{name.partition('.')[0]}.local"] if name.isascii() else []
    names = ["localhost", "127.0.0.1", "::1", *named]
    return names + (lan_addresses() if is_everywhere(bind_address) else [bind_address])


def is_everywhere(bind_address: str) -> bool:
    """Tell whether `bind_address` means all interfaces."""
    return bind_address in ("", "0.0.0.0", "::")  # noqa: S104


def lan_addresses() -> list[str]:
    """Return the addresses of all interfaces, sorted, without loopback and link-local ones.

    Browsers cannot use link-local addresses, because URLs have no scope for them.
    """
    found = []
    for interface in psutil.net_if_addrs().values():
        for entry in interface:
            if entry.family in (socket.AF_INET, socket.AF_INET6):
                address = ip_address(entry.address.partition("%")[0])
                if not (address.is_loopback or address.is_link_local):
                    found.append(str(address))
    return sorted(found)

"""The certificate that is served: the operator's, or one of the local authority for the names of this machine."""

import socket
from datetime import UTC, datetime
from ipaddress import ip_address

import psutil

from run.config.settings import Settings
from run.tls.local_ca import Certificate, local_certificate


def certificate(settings: Settings) -> Certificate:
    """The operator's, or a local one that is good for this machine's names and addresses."""
    if settings.tls_cert is not None and settings.tls_key is not None:
        return Certificate(settings.tls_cert, settings.tls_key, settings.tls_cert)
    return local_certificate(settings.data_dir / "tls", own_names(settings.https_bind_addr), datetime.now(UTC))


def own_names(bind_address: str) -> list[str]:
    """What a browser in the house may call this machine. A server on one address only is not called by the others."""
    name = socket.gethostname()
    named = [name, f"{name.partition('.')[0]}.local"] if name.isascii() else []
    names = ["localhost", "127.0.0.1", "::1", *named]
    return names + (lan_addresses() if is_everywhere(bind_address) else [bind_address])


def is_everywhere(bind_address: str) -> bool:
    return bind_address in ("", "0.0.0.0", "::")  # noqa: S104


def lan_addresses() -> list[str]:
    """Of the interfaces that other machines can reach; link-local ones need a scope that no browser takes."""
    found = []
    for interface in psutil.net_if_addrs().values():
        for entry in interface:
            if entry.family in (socket.AF_INET, socket.AF_INET6):
                address = ip_address(entry.address.partition("%")[0])
                if not (address.is_loopback or address.is_link_local):
                    found.append(str(address))
    return sorted(found)

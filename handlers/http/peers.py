"""Client addresses behind proxies, and origins of browser requests. Pure rules."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

Network = IPv4Network | IPv6Network


def client_address(peer: str, forwarded_for: str, trusted: Sequence[Network]) -> str:
    """Return the nearest address that is not a trusted proxy's.

    `X-Forwarded-For` is read from the right, and only while trusted proxies wrote it: a client can forge the rest.
    """
    address = peer
    for hop in [*reversed(forwarded_for.split(","))]:
        if not is_trusted(address, trusted):
            break
        try:
            address = str(ip_address(hop.strip()))
        except ValueError:
            break
    return address


def is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    """Whether `address` is in one of the networks of trusted proxies."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False  # a Unix socket has no address
    return any(ip in network for network in trusted if network.version == ip.version)


def rate_key(address: str) -> str:
    """Return the key that limits count by: the IPv4 address, or the IPv6 /64, whose addresses one client can use."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if not isinstance(ip, IPv6Address):
        return address
    if ip.ipv4_mapped:
        return str(ip.ipv4_mapped)
    return str(IPv6Network((ip, 64), strict=False))


def is_same_origin(host: str, origin: str | None, fetch_site: str | None) -> bool:
    """Whether the browser reports that a page of this server sent the request.

    Clients other than browsers send neither header, and are accepted. Scripts cannot set `Sec-Fetch-Site`; `none` means
    that the user typed the address. Older browsers send only `Origin`.
    """
    if fetch_site is not None:
        return fetch_site in ("same-origin", "none")
    if origin is None:
        return True
    try:
        return urlsplit(origin).netloc.lower() == host.lower() != ""
    except ValueError:
        return False

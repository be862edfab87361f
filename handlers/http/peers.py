"""Who is on the other end: addresses behind proxies, and origins of browsers. Pure rules."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

Network = IPv4Network | IPv6Network


def client_address(peer: str, forwarded_for: str, trusted: Sequence[Network]) -> str:
    """The nearest address that is not a trusted proxy's.

    `X-Forwarded-For` is believed only from the right, and only as far as trusted proxies wrote it; the rest anybody
    can make up.
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
    try:
        ip = ip_address(address)
    except ValueError:
        return False  # a Unix socket has no address
    return any(ip in network for network in trusted if network.version == ip.version)


def rate_key(address: str) -> str:
    """What limits count by: an IPv6 client has a whole /64 to choose its address from."""
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
    """Whether a browser says that the page which asks came from us. Other clients send neither header, and pass.

    `Sec-Fetch-Site` cannot be set by scripts; `none` is the address bar. Older browsers send `Origin` alone.
    """
    if fetch_site is not None:
        return fetch_site in ("same-origin", "none")
    if origin is None:
        return True
    try:
        return urlsplit(origin).netloc.lower() == host.lower() != ""
    except ValueError:
        return False

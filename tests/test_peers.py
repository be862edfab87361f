"""Client addresses behind proxies, rate limit keys, and same-origin checks, as tables."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.http.peers import client_address, is_same_origin, is_trusted, rate_key

PROXIES = [ip_network("10.0.0.0/8"), ip_network("192.168.1.1"), ip_network("fd00::/8")]


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "address"),
    [
        pytest.param("203.0.113.9", "", "203.0.113.9", id="no proxy"),
        pytest.param("203.0.113.9", "198.51.100.1", "203.0.113.9", id="forged by an untrusted client"),
        pytest.param("203.0.113.9", "10.0.0.1", "203.0.113.9", id="an untrusted client names our proxy"),
        pytest.param("10.0.0.1", "", "10.0.0.1", id="the proxy itself"),
        pytest.param("10.0.0.1", "203.0.113.9", "203.0.113.9", id="one proxy"),
        pytest.param("10.0.0.1", "1.1.1.1, 203.0.113.9", "203.0.113.9", id="the left address is forged"),
        pytest.param("10.0.0.1", "10.0.0.7, 203.0.113.9", "203.0.113.9", id="a proxy on the left is forged"),
        pytest.param("10.0.0.1", "203.0.113.9, 192.168.1.1", "203.0.113.9", id="two proxies"),
        pytest.param(
            "10.0.0.1", "1.1.1.1,203.0.113.9,192.168.1.1", "203.0.113.9", id="two proxies, the left address is forged"
        ),
        pytest.param("10.0.0.1", "203.0.113.9, 192.168.1.2", "192.168.1.2", id="the second proxy is not ours"),
        pytest.param("10.0.0.1", "10.0.0.2, 10.0.0.3", "10.0.0.2", id="only proxies"),
        pytest.param("10.0.0.1", "2001:DB8::0:1", "2001:db8::1", id="one address, one spelling"),
        pytest.param("fd00::1", "203.0.113.9", "203.0.113.9", id="an IPv6 proxy"),
        pytest.param("10.0.0.1", "unknown", "10.0.0.1", id="no address: the proxy's is used"),
        pytest.param("10.0.0.1", "203.0.113.9, garbage", "10.0.0.1", id="nothing is used beyond garbage"),
        pytest.param("10.0.0.1", "203.0.113.9,", "10.0.0.1", id="nothing is used beyond an empty entry"),
        pytest.param("", "203.0.113.9", "", id="a Unix socket"),
    ],
)
def test_forwarded_for_is_used_up_to_the_last_trusted_proxy(peer: str, forwarded_for: str, address: str) -> None:
    assert client_address(peer, forwarded_for, PROXIES) == address


@settings(max_examples=200)
@given(st.text(max_size=60))
def test_forwarded_for_of_an_untrusted_client_is_ignored(forwarded_for: str) -> None:
    assert client_address("203.0.113.9", forwarded_for, PROXIES) == "203.0.113.9"
    assert client_address("10.0.0.1", f"{forwarded_for},203.0.113.9", PROXIES) == "203.0.113.9"


def test_forwarded_for_without_trusted_proxies_is_ignored() -> None:
    assert client_address("127.0.0.1", "203.0.113.9", []) == "127.0.0.1"


@pytest.mark.parametrize(
    ("address", "trusted"),
    [
        ("10.255.0.1", True),
        ("192.168.1.1", True),
        ("fd12::1", True),
        ("11.0.0.1", False),
        ("192.168.1.2", False),
        ("::1", False),
        ("", False),
        ("no address", False),
    ],
)
def test_proxy_is_trusted_by_its_network(address: str, trusted: bool) -> None:
    assert is_trusted(address, PROXIES) is trusted


@pytest.mark.parametrize(
    ("address", "key"),
    [
        pytest.param("203.0.113.9", "203.0.113.9", id="IPv4 address"),
        pytest.param("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", id="IPv6 by its /64"),
        pytest.param("::ffff:203.0.113.9", "203.0.113.9", id="v4-mapped is the IPv4 client"),
        pytest.param("fe80::1%eth0", "fe80::/64", id="with a scope"),
        pytest.param("", "", id="a Unix socket"),
        pytest.param("no address", "no address", id="not an address"),
    ],
)
def test_rate_key_is_the_ipv4_address_or_ipv6_network(address: str, key: str) -> None:
    assert rate_key(address) == key


@settings(max_examples=100)
@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(1, 2**64 - 1))
def test_rate_key_is_equal_within_an_ipv6_network_only(host: int, other_host: int, network: int) -> None:
    def address(network: int, host: int) -> str:
        return str(ip_address((network << 64) + host))

    assert rate_key(address(network, host)) == rate_key(address(network, other_host))
    assert rate_key(address(network, host)) != rate_key(address(network ^ 1 << 60, host))


@pytest.mark.parametrize(
    ("host", "origin", "fetch_site", "same"),
    [
        pytest.param("chat.example", None, None, True, id="not a browser"),
        pytest.param("chat.example", "https://chat.example", None, True, id="older browser, own page"),
        pytest.param("chat.example:8443", "https://chat.example:8443", None, True, id="own page, own port"),
        pytest.param("Chat.Example", "https://chat.EXAMPLE", None, True, id="host names ignore case"),
        pytest.param("[::1]:2607", "http://[::1]:2607", None, True, id="IPv6"),
        pytest.param("chat.example", "https://evil.example", None, False, id="older browser, foreign page"),
        pytest.param("chat.example", "https://chat.example.evil.example", None, False, id="own name as prefix"),
        pytest.param("chat.example", "https://evil.example/chat.example", None, False, id="own name in the path"),
        pytest.param("chat.example", "https://chat.example@evil.example", None, False, id="own name as user info"),
        pytest.param("chat.example:8443", "https://chat.example:9000", None, False, id="another port"),
        pytest.param("chat.example", "null", None, False, id="a sandboxed frame"),
        pytest.param("chat.example", "", None, False, id="empty origin"),
        pytest.param("", "null", None, False, id="no host and null origin differ"),
        pytest.param("chat.example", "http://[", None, False, id="malformed origin"),
        pytest.param("chat.example", "https://a]b", None, False, id="malformed host"),
        pytest.param("chat.example", None, "same-origin", True, id="own page"),
        pytest.param("chat.example", None, "none", True, id="the address bar"),
        pytest.param("chat.example", None, "same-site", False, id="another subdomain"),
        pytest.param("chat.example", None, "cross-site", False, id="foreign page"),
        pytest.param("chat.example", "https://chat.example", "cross-site", False, id="Sec-Fetch-Site takes precedence"),
        pytest.param("chat.example", None, "", False, id="empty"),
        pytest.param("chat.example", None, "Same-Origin", False, id="one value, one spelling"),
    ],
)
def test_same_origin_is_true_for_own_pages_only(
    host: str, origin: str | None, fetch_site: str | None, same: bool
) -> None:
    assert is_same_origin(host, origin, fetch_site) is same


@settings(max_examples=200)
@given(st.text(max_size=30))
def test_same_origin_is_false_for_any_forged_origin(origin: str) -> None:
    assert is_same_origin("chat.example", f"https://evil.example{origin}", None) is False

"""Who is on the other end: the tables of handlers/peers.py."""

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
        pytest.param("203.0.113.9", "198.51.100.1", "203.0.113.9", id="a stranger makes one up"),
        pytest.param("203.0.113.9", "10.0.0.1", "203.0.113.9", id="a stranger names our proxy"),
        pytest.param("10.0.0.1", "", "10.0.0.1", id="the proxy itself"),
        pytest.param("10.0.0.1", "203.0.113.9", "203.0.113.9", id="one proxy"),
        pytest.param("10.0.0.1", "1.1.1.1, 203.0.113.9", "203.0.113.9", id="the client made up the left one"),
        pytest.param("10.0.0.1", "10.0.0.7, 203.0.113.9", "203.0.113.9", id="the client made up a proxy on the left"),
        pytest.param("10.0.0.1", "203.0.113.9, 192.168.1.1", "203.0.113.9", id="two proxies"),
        pytest.param("10.0.0.1", "1.1.1.1,203.0.113.9,192.168.1.1", "203.0.113.9", id="two proxies and a lie"),
        pytest.param("10.0.0.1", "203.0.113.9, 192.168.1.2", "192.168.1.2", id="the second proxy is not ours"),
        pytest.param("10.0.0.1", "10.0.0.2, 10.0.0.3", "10.0.0.2", id="only proxies"),
        pytest.param("10.0.0.1", "2001:DB8::0:1", "2001:db8::1", id="one address, one spelling"),
        pytest.param("fd00::1", "203.0.113.9", "203.0.113.9", id="an IPv6 proxy"),
        pytest.param("10.0.0.1", "unknown", "10.0.0.1", id="no address: the proxy is who we know"),
        pytest.param("10.0.0.1", "203.0.113.9, garbage", "10.0.0.1", id="nothing is believed behind garbage"),
        pytest.param("10.0.0.1", "203.0.113.9,", "10.0.0.1", id="nothing is believed behind a blank"),
        pytest.param("", "203.0.113.9", "", id="a Unix socket"),
    ],
)
def test_forwarded_for_is_believed_as_far_as_trusted_proxies_wrote_it(
    peer: str, forwarded_for: str, address: str
) -> None:
    assert client_address(peer, forwarded_for, PROXIES) == address


@settings(max_examples=200)
@given(st.text(max_size=60))
def test_a_stranger_cannot_change_his_address_whatever_he_writes(forwarded_for: str) -> None:
    assert client_address("203.0.113.9", forwarded_for, PROXIES) == "203.0.113.9"
    assert client_address("10.0.0.1", f"{forwarded_for},203.0.113.9", PROXIES) == "203.0.113.9"


def test_nobody_is_trusted_by_default() -> None:
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
def test_a_proxy_is_trusted_by_its_network(address: str, trusted: bool) -> None:
    assert is_trusted(address, PROXIES) is trusted


@pytest.mark.parametrize(
    ("address", "key"),
    [
        pytest.param("203.0.113.9", "203.0.113.9", id="IPv4 by itself"),
        pytest.param("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", id="IPv6 by its /64"),
        pytest.param("::ffff:203.0.113.9", "203.0.113.9", id="v4-mapped is the IPv4 client"),
        pytest.param("fe80::1%eth0", "fe80::/64", id="with a scope"),
        pytest.param("", "", id="a Unix socket"),
        pytest.param("no address", "no address", id="whatever it is"),
    ],
)
def test_limits_count_by_address_or_network(address: str, key: str) -> None:
    assert rate_key(address) == key


@settings(max_examples=100)
@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(1, 2**64 - 1))
def test_one_ipv6_network_has_one_key_and_another_has_another(host: int, other_host: int, network: int) -> None:
    def address(network: int, host: int) -> str:
        return str(ip_address((network << 64) + host))

    assert rate_key(address(network, host)) == rate_key(address(network, other_host))
    assert rate_key(address(network, host)) != rate_key(address(network ^ 1 << 60, host))


@pytest.mark.parametrize(
    ("host", "origin", "fetch_site", "same"),
    [
        pytest.param("chat.example", None, None, True, id="no browser"),
        pytest.param("chat.example", "https://chat.example", None, True, id="older browser, our page"),
        pytest.param("chat.example:8443", "https://chat.example:8443", None, True, id="our page, our port"),
        pytest.param("Chat.Example", "https://chat.EXAMPLE", None, True, id="names have no case"),
        pytest.param("[::1]:2607", "http://[::1]:2607", None, True, id="IPv6"),
        pytest.param("chat.example", "https://evil.example", None, False, id="older browser, foreign page"),
        pytest.param("chat.example", "https://chat.example.evil.example", None, False, id="our name as a prefix"),
        pytest.param("chat.example", "https://evil.example/chat.example", None, False, id="our name in the path"),
        pytest.param("chat.example", "https://chat.example@evil.example", None, False, id="our name as the user"),
        pytest.param("chat.example:8443", "https://chat.example:9000", None, False, id="another port"),
        pytest.param("chat.example", "null", None, False, id="a sandboxed frame"),
        pytest.param("chat.example", "", None, False, id="empty origin"),
        pytest.param("", "null", None, False, id="no host and no origin are not the same"),
        pytest.param("chat.example", "http://[", None, False, id="no origin at all"),
        pytest.param("chat.example", "https://a]b", None, False, id="no address at all"),
        pytest.param("chat.example", None, "same-origin", True, id="our page"),
        pytest.param("chat.example", None, "none", True, id="the address bar"),
        pytest.param("chat.example", None, "same-site", False, id="a neighbour's subdomain"),
        pytest.param("chat.example", None, "cross-site", False, id="foreign page"),
        pytest.param("chat.example", "https://chat.example", "cross-site", False, id="the browser knows better"),
        pytest.param("chat.example", None, "", False, id="empty"),
        pytest.param("chat.example", None, "Same-Origin", False, id="one value, one spelling"),
    ],
)
def test_only_our_own_pages_may_use_the_cookie(
    host: str, origin: str | None, fetch_site: str | None, same: bool
) -> None:
    assert is_same_origin(host, origin, fetch_site) is same


@settings(max_examples=200)
@given(st.text(max_size=30))
def test_no_origin_that_anybody_makes_up_is_ours(origin: str) -> None:
    assert is_same_origin("chat.example", f"https://evil.example{origin}", None) is False

"""From where a request comes, and whom a proxy may speak for."""

import pytest

from webapp.access.peer import Proxies, group

from .scopes import scope


@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "address"),
    [
        ((), "203.0.113.9", "1.2.3.4", "203.0.113.9"),
        (("10.0.0.0/8",), "203.0.113.9", "1.2.3.4", "203.0.113.9"),
        (("10.0.0.0/8",), "10.0.0.1", "", "10.0.0.1"),
        (("10.0.0.0/8",), "10.0.0.1", "1.2.3.4", "1.2.3.4"),
        (("10.0.0.0/8",), "10.0.0.1", "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        (("10.0.0.0/8",), "10.0.0.1", "6.6.6.6, 1.2.3.4, 10.0.0.2", "1.2.3.4"),
        (("10.0.0.0/8",), "10.0.0.1", "6.6.6.6, rubbish", "10.0.0.1"),
        (("10.0.0.0/8",), "10.0.0.1", "10.0.0.3", "10.0.0.3"),
        (("10.0.0.0/8",), "::ffff:10.0.0.1", "1.2.3.4", "1.2.3.4"),
    ],
)
def test_the_nearest_address_that_is_no_proxy(
    proxies: tuple[str, ...], peer: str, forwarded: str, address: str
) -> None:
    assert Proxies(proxies).address(scope(peer=peer, x_forwarded_for=forwarded)) == address


def test_a_unix_socket_is_no_proxy() -> None:
    assert not Proxies(("0.0.0.0/0",)).hold("")


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("x" * 1000, "x" * 64),
    ],
)
def test_an_ipv6_user_is_counted_by_network(address: str, counted: str) -> None:
    assert group(address) == counted

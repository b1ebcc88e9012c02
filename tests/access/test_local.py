"""Without a token: this machine, for this machine, with nothing in between."""

import pytest

from webapp.access.local import check_local, host_name
from webapp.errors import Denied

from .scopes import scope


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.0.0.1:8484", "127.8.9.1", "localhost", "LOCALHOST:1", "localhost.", "[::1]", "[::1]:8484"],
)
def test_loopback_hosts_are_answered(host: str) -> None:
    check_local(scope(host=host))


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "evil.localhost", "0.0.0.0", "10.0.0.1",
        "[::]", "127.0.0.1@evil.example", "127.0.0.1:8484:1", "127.1", "2130706433", "0x7f.1", "", " ", "[::1",
        "127.0.0.1\x00", "localhost/", "localhost#", "127.0.0.1,evil.example",
    ],
)  # fmt: skip
def test_every_other_host_is_refused(host: str) -> None:
    with pytest.raises(Denied, match="JOBTAIL_ACCESS_TOKEN"):
        check_local(scope(host=host))


def test_two_hosts_are_refused() -> None:
    twice = scope()
    twice["headers"].append((b"host", b"localhost"))
    with pytest.raises(Denied):
        check_local(twice)


@pytest.mark.parametrize(
    "name",
    ["forwarded", "via", "x_real_ip", "x_forwarded_for", "x_forwarded_host", "x_forwarded_proto", "x_forwarded_user"],
)
def test_what_a_proxy_adds_is_refused(name: str) -> None:
    with pytest.raises(Denied, match="proxy stands in front"):
        check_local(scope(**{name: "x"}))


@pytest.mark.parametrize(("peer", "fine"), [
    ("127.0.0.1", True), ("::1", True), ("::ffff:127.0.0.1", True), (None, True),
    ("10.0.0.9", False), ("::ffff:10.0.0.9", False), ("2001:db8::1", False),
])  # fmt: skip
def test_only_this_machines_sockets_are_answered(peer: str | None, fine: bool) -> None:
    if fine:
        check_local(scope(peer=peer))
    else:
        with pytest.raises(Denied):
            check_local(scope(peer=peer))


@pytest.mark.parametrize(
    ("value", "name"),
    [(b"a.example:80", "a.example"), (b"[2001:db8::1]:80", "2001:db8::1"), (b"a b", None), (b"a:b", None), (b"", None)],
)
def test_a_host_header_is_a_name_and_maybe_a_port(value: bytes, name: str | None) -> None:
    assert host_name(value) == name

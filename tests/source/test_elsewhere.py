"""Where an upstream may send us."""

from __future__ import annotations

import httpx
import pytest

from webapp.errors import UpstreamDown, UpstreamError
from webapp.source.elsewhere import allowed, public, target

pytestmark = pytest.mark.anyio
PRIVATE = [
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "::1", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
    "64:ff9b::a00:1", "64:ff9b::808:808", "64:ff9b:1::1", "2002:a00:1::1", "2002:5db8:d822::1", "2001::1", "fec0::1",
    "::10.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_is_for_a_private_upstream(address: str) -> None:
    assert not public(address)
    assert not allowed([address], ["93.184.216.34"])
    assert not allowed(["93.184.216.34", address], ["93.184.216.34"])


def test_public_addresses_are_for_all() -> None:
    assert public("93.184.216.34") and public("2606:2800:220:1:248:1893:25c8:1946")
    assert allowed(["93.184.216.34"], ["93.184.216.34"])
    assert allowed(["93.184.216.34"], ["10.0.0.1"])
    assert allowed(["10.0.0.2"], ["10.0.0.1"])


def test_the_clouds_metadata_is_for_nobody_else() -> None:
    assert not allowed(["169.254.169.254"], ["10.0.0.1"])
    for form in ("::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "::a9fe:a9fe"):
        assert not allowed([form], ["127.0.0.1"])


async def test_the_address_that_was_checked_is_the_one_that_is_asked() -> None:
    to = await target("/storage/x?sig=1", httpx.URL("http://localhost:8000/server/v1/"))
    assert str(to.url) in ("http://127.0.0.1:8000/storage/x?sig=1", "http://[::1]:8000/storage/x?sig=1")
    assert (to.host, to.name) == ("localhost:8000", "localhost")


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://x", "http://[bad", "javascript:1"]
)
async def test_what_is_no_web_address_is_not_followed(location: str) -> None:
    with pytest.raises((UpstreamError, UpstreamDown)):
        await target(location, httpx.URL("http://127.0.0.1:8000/"))


async def test_from_tls_to_plain_text_is_not_followed() -> None:
    with pytest.raises(UpstreamError):
        await target("http://127.0.0.1/x", httpx.URL("https://127.0.0.1/"))


async def test_credentials_in_a_location_are_dropped() -> None:
    to = await target("http://user:pass@127.0.0.1:8001/x", httpx.URL("http://127.0.0.1:8000/"))
    assert "pass" not in str(to.url) and "pass" not in to.host

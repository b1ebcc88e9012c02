"""How many may watch at once through links."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.responses import Response

from webapp.access import seats as seating
from webapp.access.grant import Grant
from webapp.access.seats import Seats
from webapp.errors import Busy

OWNER = Grant("owner", "ada")


def link(name: str = "1") -> Grant:
    return Grant("share", f"link {name}", name)


sitting: set[asyncio.Task[None]] = set()  # the loop itself keeps no hold of its tasks


class Held(Response):
    """An answer that lasts until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.let_go.wait()


async def watch(seats: Seats, grant: Grant, address: str) -> tuple[Held, asyncio.Task[None]]:
    """Somebody who has sat down."""
    held = Held()
    answer = seats.seated(grant, address, held)
    task = asyncio.ensure_future(answer({"type": "http"}, None, None))  # type: ignore[arg-type]
    sitting.add(task)
    await asyncio.sleep(0)
    return held, task


def test_an_address_has_so_many_seats_and_gets_them_back() -> None:
    async def run() -> None:
        seats = Seats(per_address=2, per_link=9)
        first = await watch(seats, link("1"), "203.0.113.1")
        await watch(seats, link("2"), "203.0.113.1")
        with pytest.raises(Busy) as refused:
            seats.seated(link("3"), "203.0.113.1", Response())
        assert refused.value.retry_after > 0
        seats.seated(link("3"), "203.0.113.2", Response())
        first[0].let_go.set()
        await first[1]
        seats.seated(link("3"), "203.0.113.1", Response())

    asyncio.run(run())


def test_a_link_has_so_many_seats_whoever_opens_it() -> None:
    async def run() -> None:
        seats = Seats(per_address=9, per_link=2)
        for address in ("203.0.113.1", "203.0.113.2"):
            await watch(seats, link(), address)
        with pytest.raises(Busy):
            seats.seated(link(), "203.0.113.3", Response())
        seats.seated(link("2"), "203.0.113.3", Response())

    asyncio.run(run())


def test_a_whole_ipv6_network_is_one_address() -> None:
    async def run() -> None:
        seats = Seats(per_address=1)
        await watch(seats, link(), "2001:db8::1")
        with pytest.raises(Busy):
            seats.seated(link(), "2001:db8::ffff", Response())

    asyncio.run(run())


def test_one_who_is_cut_off_leaves_the_seat() -> None:
    async def run() -> None:
        seats = Seats(per_address=1, per_link=1)
        _, task = await watch(seats, link(), "203.0.113.1")
        with pytest.raises(Busy):
            seats.seated(link(), "203.0.113.1", Response())
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        seats.seated(link(), "203.0.113.1", Response())

    asyncio.run(run())


def test_owners_need_none() -> None:
    seats, answer = Seats(per_address=0, per_link=0), Response()
    assert seats.seated(OWNER, "203.0.113.1", answer) is answer


def test_links_together_leave_half_of_the_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seating, "connections", lambda: 4)

    async def go() -> None:
        seats = Seats()
        for name in ("1", "2"):
            await watch(seats, link(name), f"192.0.2.{name}")
        with pytest.raises(Busy, match="through links"):
            seats.seated(link("3"), "192.0.2.3", Held())
        assert seats.seated(OWNER, "192.0.2.3", Held())

    asyncio.run(go())

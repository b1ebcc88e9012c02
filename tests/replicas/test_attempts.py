"""Wrong tokens count for all processes of the service, wherever they arrive."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.postgres import Cluster
from tests.served import Served, until

TOKEN = "the-right-token-of-this-test"


def sign_in(served: Served, token: str) -> httpx.Response:
    return served.post("/login", data={"token": token}, headers={"Origin": served.url})


@pytest.mark.parametrize("kind", ["a folder", "a database", "workers"])
def test_guesses_at_several_processes_are_slowed_down_as_at_one(
    kind: str, serve: Callable[..., Served], request: pytest.FixtureRequest, data_dir: Path
) -> None:
    settings: dict[str, object] = {"access_token": TOKEN}
    if kind == "a database":
        settings["database_url"] = request.getfixturevalue("database")
    data_dir.mkdir()
    services = [serve(workers=2, **settings)] * 2 if kind == "workers" else [serve(**settings), serve(**settings)]
    answers = [sign_in(services[n % 2], f"guess {n}").status_code for n in range(10)]
    assert answers == [401] * 10
    # The tenth began a wait, of which the process that did not see it knows too.
    assert sign_in(services[0], TOKEN).status_code == 429
    assert sign_in(services[1], TOKEN).status_code == 429
    until(lambda: sign_in(services[0], TOKEN).status_code == 303, "the wait to be over")
    assert sign_in(services[1], "another guess").status_code == 401, "the right token wiped the slate for all"
    assert sign_in(services[0], TOKEN).status_code == 303


def test_wrong_tokens_of_programs_are_counted_together_within_a_moment(
    serve: Callable[..., Served], data_dir: Path
) -> None:
    data_dir.mkdir()
    first, second = serve(access_token=TOKEN), serve(access_token=TOKEN)

    def asked(served: Served) -> int:
        return served.get("/api/jobs", headers={"Authorization": "Bearer wrong"}).status_code

    assert asked(second) == 401
    for _ in range(99):
        assert asked(first) == 401
    until(lambda: asked(second) == 429, "the other process to know of them")


def test_guesses_are_slowed_down_while_the_database_is_away(
    own_server: Cluster, serve: Callable[..., Served], data_dir: Path
) -> None:
    data_dir.mkdir()
    served = serve(access_token=TOKEN, database_url=own_server.database("away"))
    own_server.stop("immediate")
    assert [sign_in(served, f"guess {n}").status_code for n in range(12)][:10] == [401] * 10
    until(lambda: sign_in(served, "a guess").status_code == 429, "a wait")
    own_server.start()

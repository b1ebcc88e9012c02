"""Several services on one database, as behind a load balancer: whatever dies, every viewer ends with exactly the
upstream's lines, and each line has one id everywhere."""

from __future__ import annotations

import random
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.paced import Paced
from tests.postgres import Cluster
from tests.torture import Disturbance, Plan, pausing, start, torture
from tests.upstream import Upstream
from tests.upstream import upstream as scripted
from webapp.journal.redact import Redactor
from webapp.store.base import Journals
from webapp.store.postgres.store import PostgresStore

from .conftest import Pooler


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with scripted() as server:
        yield server


@pytest.fixture
def replicas(
    upstream: Upstream, data_dir: Path, pooler: Callable[[Cluster], Pooler]
) -> Iterator[Callable[..., list[Paced]]]:
    """They are stopped before what stands between them and the database."""
    running: list[Paced] = []

    def begin(url: str, count: int = 3) -> list[Paced]:
        data_dir.mkdir(exist_ok=True)
        running.extend(start(data_dir, upstream, count, database_url=url))
        return running

    yield begin
    for service in running:
        service.process.send_signal(signal.SIGCONT)
        service.stop()


def journals_in(url: str) -> Callable[[], Journals]:
    return lambda: PostgresStore(url, Redactor(()), beat_ms=100).journals


def restarting(server: Cluster, seed: int) -> Disturbance:
    """Restarts the database in both ways, and ends connections in whatever they are at."""
    chance = random.Random(seed)

    def restart(over: threading.Event) -> None:
        while not over.wait(chance.uniform(0.5, 1.5)):
            server.restart(chance.choice(("fast", "immediate")))
            for _ in range(5):
                if over.wait(chance.uniform(0.05, 0.2)):
                    return
                server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")

    return restart


def rolling(services: list[Paced]) -> Disturbance:
    """Restarts one after another, as an update does."""

    def roll(over: threading.Event) -> None:
        for service in services:
            if over.wait(0.7):
                return
            service.restart()

    return roll


def interfering(server: Cluster, pooler: Pooler, seed: int) -> Disturbance:
    """Kills and stops the pooler, stops the database, and ends its connections."""
    chance = random.Random(seed)

    def interfere(over: threading.Event) -> None:
        while not over.wait(chance.uniform(0.3, 1.0)):
            match chance.choice(("kill", "stop", "freeze", "end")):
                case "kill":
                    pooler.kill()
                    pooler.start()
                case "stop":
                    pooler.process.send_signal(signal.SIGSTOP)
                    over.wait(chance.uniform(0.2, 1.5))
                    pooler.process.send_signal(signal.SIGCONT)
                case "freeze":
                    server.freeze()
                    over.wait(chance.uniform(0.2, 1.5))
                    server.thaw()
                case "end":
                    server.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE pid <> pg_backend_pid() AND random() < 0.5"
                    )

    return interfere


def test_replicas_that_are_killed_and_stopped_lose_and_double_nothing(
    database: str, upstream: Upstream, replicas: Callable[..., list[Paced]]
) -> None:
    services = replicas(database)
    killed, paused = services[:2], services[2:]
    plan = Plan(seed=11, seconds=5, viewers=5, kill_every=1.5)
    outcome = torture(
        plan, journals_in(database), upstream, services, killed=killed, disturbances=[pausing(paused, 11)]
    )
    assert outcome.problems == [] and outcome.lines > 300


def test_a_database_that_restarts_and_ends_connections_costs_a_pause(
    own_server: Cluster, upstream: Upstream, replicas: Callable[..., list[Paced]]
) -> None:
    url = own_server.database("restarted")
    services = replicas(url)
    plan = Plan(seed=12, seconds=5, viewers=4, kill_every=0)
    outcome = torture(plan, journals_in(url), upstream, services, disturbances=[restarting(own_server, 12)])
    assert outcome.problems == [] and outcome.lines > 300


def test_a_pooler_in_transaction_mode_stands_in_between(
    server: Cluster, database: str, upstream: Upstream, replicas: Callable[..., list[Paced]],
    pooler: Callable[[Cluster], Pooler],
) -> None:  # fmt: skip
    between = pooler(server)
    services = replicas(between.url(database.rpartition("/")[2]), 2)
    plan = Plan(seed=13, seconds=4, viewers=3, kill_every=2)
    outcome = torture(plan, journals_in(database), upstream, services, disturbances=[interfering(server, between, 13)])
    assert outcome.problems == [] and outcome.lines > 300


def test_a_rolling_restart_of_all_replicas_is_seen_by_no_viewer(
    database: str, upstream: Upstream, replicas: Callable[..., list[Paced]]
) -> None:
    services = replicas(database)
    plan = Plan(seed=14, seconds=5, viewers=4, kill_every=0, chaos=0)
    outcome = torture(plan, journals_in(database), upstream, services, disturbances=[rolling(services)])
    assert outcome.problems == [] and outcome.lines > 300
    assert outcome.faults["resets"] == 0


def test_three_replicas_ask_the_upstream_as_often_as_one(
    database: str, upstream: Upstream, replicas: Callable[..., list[Paced]]
) -> None:
    asked = []
    services = replicas(database)
    for seed, some in ((15, services[:1]), (16, services)):
        plan = Plan(seed, seconds=4, jobs=1, viewers=6, kill_every=0, chaos=0)
        before = upstream.requests["status"]
        outcome = torture(plan, journals_in(database), upstream, some)
        assert outcome.problems == []
        asked.append(upstream.requests["status"] - before)
    alone, together = asked  # rounds: how often each reads the log depends on the limits that its turn drew
    assert together <= 1.5 * alone, asked

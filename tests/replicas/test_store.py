"""What is particular to PostgreSQL as a store: failovers, its schema, its errors, and how its rows are merged."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from webapp.errors import (
    BegunAnew,
    DamagedJournal,
    JournalError,
    LeaseHeld,
    LeaseLost,
    NewerSchema,
    OutcomeUnknown,
    SettingsError,
    StoreDown,
)
from webapp.journal.batch import Batch
from webapp.journal.line import Entry
from webapp.journal.redact import Redactor
from webapp.store.postgres.compaction import LOOSE
from webapp.store.postgres.database import PostgresDatabase
from webapp.store.postgres.store import PostgresStore
from webapp.store.share import Link

from ..postgres import Cluster, folder
from ..served import Served, jobtail, until

Open = Callable[[str], PostgresStore]


@pytest.fixture
def opened() -> Iterator[Open]:
    running: list[PostgresStore] = []

    def start(url: str) -> PostgresStore:
        running.append(PostgresStore(url, Redactor(())))
        return running[-1]

    yield start
    for store in running:
        store.close()


def entries(first: int, count: int) -> list[Entry]:
    return [Entry(1000 + n, f"line {n}", {"stream": "stdout"}, n) for n in range(first, first + count)]


def lines_of(batches: list[Batch]) -> list[bytes]:
    return [line for batch in batches for line in batch.split()]


def test_a_slow_jobs_rows_are_merged_and_its_lines_stay_as_they_were(database: str, opened: Open) -> None:
    journal = opened(database).journals.open("job")
    writer = journal.claim(30)
    sent = [line for n in range(1, 3 * LOOSE) for line in lines_of(writer.append(entries(n, 1)))]
    assert lines_of(journal.read(0)) == sent
    assert len(journal.spans(0)) < LOOSE + 3
    assert sum(journal.seen(0, 10_000).values()) == len(sent)
    assert [line for batch in journal.read(5, upto=9) for line in batch.split()] == sent[5:9]
    assert journal.line_at(1000 + LOOSE) <= LOOSE


def test_a_promoted_standby_without_the_end_gives_no_id_a_second_meaning(own_server: Cluster, opened: Open) -> None:
    url = own_server.database("lost")
    with folder() as path:
        standby = Cluster(path / "standby").copy_of(own_server).start()
        try:
            store = opened(f"postgresql://postgres@127.0.0.1:{own_server.port},127.0.0.1:{standby.port}/lost"
                           "?target_session_attrs=read-write")  # fmt: skip
            journal = store.journals.open("job")
            writer = journal.claim(30)
            standby.wait_for(own_server)
            before = lines_of(writer.append(entries(1, 10)))
            standby.wait_for(own_server)
            standby.stop_receiving()
            lost = lines_of(writer.append(entries(11, 5)))
            epoch = journal.state().epoch
            own_server.stop("immediate")
            standby.promote()
            # This replica has seen more than the promoted server holds, so it finds out by a look.
            with pytest.raises(DamagedJournal):
                journal.state()
            state = journal.state()
            assert state.epoch != epoch and state.last_line == 10
            with pytest.raises((LeaseLost, BegunAnew)):
                writer.append(entries(11, 5))
            again = lines_of(journal.claim(30).append(entries(11, 5)))
            assert not set(again) & set(lost)
            kept = lines_of(journal.read(0))
            assert kept == [line.replace(epoch.encode(), state.epoch.encode()) for line in before] + again
            # Another, which remembers nothing, goes by the server's timeline.
            assert opened(standby.url("lost")).journals.open("job").state().epoch == state.epoch
        finally:
            standby.stop("immediate")
    assert url


def test_a_replica_that_remembers_nothing_goes_by_the_timeline(own_server: Cluster, opened: Open) -> None:
    journal = opened(own_server.database("moved")).journals.open("job")
    writer = journal.claim(30)
    writer.append(entries(1, 3))
    own_server.execute("UPDATE jobtail.journal SET timeline = '00000000'", "moved")
    with pytest.raises(LeaseLost):
        writer.append(entries(4, 1))
    fresh = opened(own_server.url("moved")).journals.open("job")
    epoch = fresh.state().epoch
    assert fresh.claim(30, take_over=True).fence.epoch != epoch
    own_server.execute("UPDATE jobtail.journal SET timeline = '00000000', confirmed = true", "moved")
    epoch = fresh.state().epoch
    assert fresh.claim(30, take_over=True).fence.epoch == epoch, "a synchronous standby lacks nothing"


def test_a_state_that_was_overtaken_by_a_write_of_ours_is_no_older_one(
    database: str, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = opened(database).journals.open("job")
    writer = journal.claim(60)
    real = PostgresDatabase.read

    def read(*asked: Any, **how: Any) -> Any:
        rows = real(*asked, **how)
        monkeypatch.undo()
        writer.append(entries(1, 1))  # by another thread, before this one looks at what it has read
        return rows

    monkeypatch.setattr(PostgresDatabase, "read", read)
    assert journal.state().last_line == 0
    assert journal.state().last_line == 1 and journal.state().epoch == writer.fence.epoch


@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_a_restart_of_the_database_loses_nothing_and_needs_nobody(own_server: Cluster, opened: Open, how: str) -> None:
    journal = opened(own_server.database("restarted")).journals.open("job")
    writer = journal.claim(60)
    sent = lines_of(writer.append(entries(1, 3)))
    own_server.restart(how)
    assert lines_of(journal.read(0)) == sent
    own_server.restart(how)
    sent += lines_of(writer.append(entries(4, 3)))
    assert lines_of(journal.read(0)) == sent


def test_a_session_that_was_ended_while_nobody_used_it_is_seen_before_it_is_written_to(
    database: str, server: Cluster, opened: Open
) -> None:
    name = database.rpartition("/")[2]
    journal = opened(database).journals.open("job")
    writer = journal.claim(60)
    for n in range(1, 4):
        server.execute(f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{name}'")
        assert len(writer.append(entries(n, 1))) == 1


def test_a_commit_whose_answer_is_lost_lands_once(database: str, server: Cluster, opened: Open) -> None:
    journal = opened(database).journals.open("job")
    writer = journal.claim(60)
    writer.append(entries(1, 2))
    name = database.rpartition("/")[2]
    # The statement commits, and its connection is ended before it says so.
    server.execute(
        "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;"
        " CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON jobtail.batch DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION cut()",
        name,
    )
    with pytest.raises(OutcomeUnknown):
        writer.append(entries(3, 2))
    server.execute("DROP TRIGGER cut ON jobtail.batch", name)
    writer.append(entries(3, 2))
    assert len(lines_of(journal.read(0))) == 4


def test_the_address_is_none(opened: Open) -> None:
    with pytest.raises(SettingsError, match="JOBTAIL_DATABASE_URL"):
        opened("postgresql://[::1")


def test_why_there_is_no_connection_is_said_in_one_sentence(server: Cluster, opened: Open, free_port: int) -> None:
    with pytest.raises(JournalError, match="does not answer"):
        opened(f"postgresql://postgres@127.0.0.1:{free_port}/x")
    with pytest.raises(JournalError, match='the database refuses: database "there_is_none" does not exist'):
        opened(server.url("there_is_none"))


# Whom the server of `locked` asks for a password, and whom it turns away; then whoever else comes from loopback.
HBA = "host all locked 127.0.0.1/32 scram-sha-256\nhost all barred 127.0.0.1/32 reject\n"
# What is wrong with an address, and waiting would not mend: what is said of it.
AMISS = {
    "postgres@{at}?nosuch=1": "not an address of a PostgreSQL database",
    "postgres@127.0.0.1:99999/locked": "libpq does not take the port number in its address",
    "postgres@{at}?port=1,2": "libpq does not take the port number in its address",
    "postgres@{at}?port=abc": "libpq does not take the port in its address",
    "postgres@{at}?sslmode=maybe": "libpq does not take the sslmode in its address",
    "postgres@{at}?connect_timeout=soon": "libpq does not take the connect_timeout in its address",
    "postgres@{at}?keepalives=x": "libpq does not take the keepalives in its address",
    "postgres@{at}?target_session_attrs=x": "libpq does not take the target_session_attrs in its address",
    "postgres@{at}?hostaddr=here": "libpq does not take the network address in its address",
    "postgres@{at}?service=nowhere": "the address names a service that no service file has",
    "postgres@{at}?sslmode=require": "it has no TLS, which the address asks for",
    "postgres@{at}?require_auth=scram-sha-256": "another way of signing in",
    "postgres@{at}?channel_binding=require": "without the channel binding",
    "postgres@{at}?options=-c%20nosuch%3D1": 'refuses: unrecognized configuration parameter "nosuch"',
    "locked@{at}?passfile=/nowhere": "it asks for a password, and there is none",
    "locked:hunter22@{at}": "refuses: password authentication failed",
    "barred@{at}": "refuses: pg_hba.conf rejects",
    "nobody@{at}": 'refuses: role "nobody" does not exist',
}


@pytest.fixture(scope="session")
def locked(server: Cluster) -> Iterator[str]:
    """Where a database of that name is, whose owner needs a password."""
    server.execute("CREATE ROLE locked LOGIN PASSWORD 'right'")
    server.execute("CREATE DATABASE locked OWNER locked")
    rules = server.folder / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text(HBA + before)
    server.execute("SELECT pg_reload_conf()")
    until(lambda: len(server.execute("SELECT 1 FROM pg_hba_file_rules WHERE auth_method = 'reject'")), "the rules")
    yield f"127.0.0.1:{server.port}/locked"


@pytest.mark.parametrize("address", AMISS)
def test_what_waiting_would_not_mend_is_refused_in_one_sentence(address: str, locked: str, opened: Open) -> None:
    with pytest.raises((JournalError, SettingsError)) as found:
        opened(f"postgresql://{address.format(at=locked)}")
    said = found.value.detail
    assert not isinstance(found.value, StoreDown) and AMISS[address] in said
    assert "\n" not in said and "hunter22" not in said


def test_the_start_refuses_what_waiting_would_not_mend(locked: str, tmp_path: Path) -> None:
    url = f"postgresql://locked@{locked}?passfile=/nowhere"
    refused = jobtail("serve", settings={"data_dir": tmp_path, "port": 0, "database_url": url}, cwd=tmp_path)
    assert refused.returncode == 2 and len(refused.stderr.splitlines()) == 1
    assert "names a database that can't be used: it asks for a password" in refused.stderr


def test_a_start_waits_while_the_database_has_no_connection_for_us(
    locked: str, server: Cluster, data_dir: Path
) -> None:
    data_dir.mkdir()
    server.execute("ALTER ROLE locked CONNECTION LIMIT 0")
    service = Served({"data_dir": data_dir, "database_url": f"postgresql://locked:right@{locked}"})
    starting = threading.Thread(target=service.start, daemon=True)
    starting.start()
    try:
        until(lambda: "waiting for it" in service.output, "the service to wait")
        assert service.output.count("the database has no place for us yet: too many connections") == 1
        server.execute("ALTER ROLE locked CONNECTION LIMIT 1")
        starting.join(60)
        assert service.get("/readyz").status_code == 200
    finally:
        server.execute("ALTER ROLE locked CONNECTION LIMIT -1")
        service.stop()


def test_a_schema_of_the_same_name_that_is_not_ours_is_left_alone(database: str, server: Cluster, opened: Open) -> None:
    name = database.rpartition("/")[2]
    server.execute("CREATE SCHEMA jobtail; CREATE TABLE jobtail.journal (x int)", name)
    with pytest.raises(JournalError, match="not of this program"):
        opened(database)
    assert server.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'jobtail'", name) == [(1,)]


def test_a_newer_schema_is_refused_in_one_sentence(database: str, server: Cluster, opened: Open) -> None:
    opened(database)
    server.execute("UPDATE jobtail.meta SET version = 99", database.rpartition("/")[2])
    with pytest.raises(NewerSchema, match=r"newer jobtail wrote this database \(version 99"):
        opened(database)


def test_a_database_that_is_read_only_says_so(database: str, server: Cluster, opened: Open) -> None:
    store = opened(database)
    journal = store.journals.open("job")
    name = database.rpartition("/")[2]
    server.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    server.execute(f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{name}'")
    with pytest.raises(JournalError, match="read-only"):
        journal.claim(10)
    assert journal.state().last_line == 0


def test_a_role_without_rights_is_told_so(database: str, server: Cluster, opened: Open) -> None:
    opened(database)
    server.execute("DROP ROLE IF EXISTS guest; CREATE ROLE guest LOGIN")
    with pytest.raises(JournalError, match="refuses: permission denied"):
        opened(database.replace("postgres@", "guest@"))


def test_a_plain_role_that_owns_its_database_needs_no_more(server: Cluster, opened: Open) -> None:
    server.execute("CREATE ROLE plain LOGIN")
    server.execute("CREATE DATABASE owned OWNER plain")
    journal = opened(server.url("owned").replace("postgres@", "plain@")).journals.open("job")
    journal.claim(10).append(entries(1, 1))
    assert journal.state().last_line == 1


def test_lines_that_were_thrown_away_leave_no_rows(database: str, server: Cluster, opened: Open) -> None:
    journal = opened(database).journals.open("job")
    journal.claim(30).append(entries(1, 2000))
    journal.forget()
    name = database.rpartition("/")[2]
    for table in ("batch", "trace", "unused"):
        assert server.execute(f"SELECT count(*) FROM jobtail.{table}", name) == [(0,)]
    assert journal.state().last_line == 0


def test_secrets_and_text_with_nul_are_kept(database: str, opened: Open) -> None:
    first, second = opened(database), opened(database)
    assert first.secret_key() == second.secret_key() and len(first.secret_key()) > 40
    journal = first.journals.open("job")
    journal.claim(30).append([Entry(1, "a\x00b", {"k\x00": "v\x00"})])
    assert b"a\\u0000b" in lines_of(journal.read(0))[0]


def test_no_password_is_in_any_error(free_port: int, tmp_path: Path) -> None:
    with pytest.raises((JournalError, SettingsError)) as found:
        PostgresStore(f"postgresql://me:hunter22@127.0.0.1:{free_port}/x", Redactor(()))
    chain: BaseException | None = found.value
    assert "hunter22" not in str(chain)
    assert not isinstance(chain, psycopg.Error)


# Servers and databases as others have set them: what it has to be nevertheless is what is promised.
ODD = {
    "isolation": "ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'",
    "repeatable": "ALTER DATABASE {name} SET default_transaction_isolation = 'repeatable read'",
    "lazy": "ALTER DATABASE {name} SET synchronous_commit = off",
    "path": "ALTER DATABASE {name} SET search_path = 'nowhere'",
    "idle": "ALTER DATABASE {name} SET idle_session_timeout = '150ms'",
    "transactions": "ALTER DATABASE {name} SET idle_in_transaction_session_timeout = '2s'",
    "statements": "ALTER DATABASE {name} SET statement_timeout = '5s'",
    "escapes": "ALTER DATABASE {name} SET standard_conforming_strings = off",
    "dates": "ALTER DATABASE {name} SET datestyle = 'SQL, DMY'; ALTER DATABASE {name} SET timezone = 'Asia/Kathmandu'",
    "bytes": "ALTER DATABASE {name} SET bytea_output = 'escape'; ALTER DATABASE {name} SET extra_float_digits = 0",
}


@pytest.mark.parametrize("how", ODD)
def test_what_a_server_is_set_to_changes_nothing_of_what_is_written(
    how: str, database: str, server: Cluster, opened: Open
) -> None:
    server.execute(ODD[how].format(name=database.rpartition("/")[2]))
    first, second = opened(database), opened(database)
    journals = [store.journals.open("job") for store in (first, second)]
    sent: list[bytes] = []
    for n in range(6):
        with pytest.raises(LeaseHeld) if n else contextlib.nullcontext():
            journals[(n + 1) % 2].claim(30)
        writer = journals[n % 2].claim(30, take_over=True)
        sent += lines_of(writer.append(entries(10 * n, 10)))
        time.sleep(0.3 if how == "idle" else 0)
    assert [lines_of(journal.read(0)) for journal in journals] == [sent, sent]
    assert journals[0].state().last_line == 60 and first.secret_key() == second.secret_key()


def test_concurrent_writes_of_two_replicas_take_turns_whatever_the_isolation(
    database: str, server: Cluster, opened: Open
) -> None:
    """Under another isolation the loser of a race would get an error of the database instead of its turn."""
    server.execute(ODD["isolation"].format(name=database.rpartition("/")[2]))
    stores = [opened(database) for _ in range(2)]

    def tell(store: PostgresStore) -> None:
        for _ in range(50):
            store.attempts.failed("token", {"a": 1}, set())

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(tell, stores))
    assert stores[0].attempts.of("token", ["a"])["a"].failures == 100


def test_a_commit_is_on_the_disk_although_the_server_would_not_wait(
    database: str, server: Cluster, opened: Open
) -> None:
    server.execute(ODD["lazy"].format(name=database.rpartition("/")[2]))
    db = opened(database)._db
    assert db.write("SELECT current_setting('synchronous_commit')") == [("local",)]


@pytest.mark.parametrize(("encoding", "locale"), [("SQL_ASCII", "C"), ("UTF8", "C.UTF-8")])
def test_other_encodings_and_collations_hold_every_text(
    encoding: str, locale: str, server: Cluster, opened: Open
) -> None:
    name = f"encoded_{encoding.lower()}"
    server.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LOCALE '{locale}'")
    store = opened(server.url(name))
    writer = store.journals.open("job").claim(30)
    writer.append([Entry(1, "Größe 🙂 \u2028", {"k": "日本"})])
    writer.set_status({"job_name": "naïve 🙂"})
    store.shares.add(Link("s", "job", 4_000_000_000_000), "für 🙂", "Ünal", 1, most=5)
    state = opened(server.url(name)).journals.open("job").state()
    assert state.status == {"job_name": "naïve 🙂"}
    assert store.shares.of_job("job")[0].note == "für 🙂"


def test_an_encoding_that_cannot_hold_every_text_is_refused_in_one_sentence(server: Cluster, opened: Open) -> None:
    server.execute("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    with pytest.raises(JournalError, match="its encoding is LATIN1, which can't hold every text"):
        opened(server.url("latin"))
    with psycopg.connect(server.url("latin")) as connection:
        assert connection.execute("SELECT count(*) FROM pg_namespace WHERE nspname = 'jobtail'").fetchone() == (0,)

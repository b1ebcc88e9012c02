"""Connections to PostgreSQL, and what its errors mean. Nothing relies on the state of a session, so that a pooler in
transaction mode may stand in between."""

from __future__ import annotations

import contextlib
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import psycopg
from psycopg import conninfo
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from ...errors import JournalError, OutcomeUnknown, SettingsError, StoreDown
from .patience import ANSWER_SECONDS, Patience, ended

log = logging.getLogger("jobtail.store")
T = TypeVar("T")
Values = Sequence[Any] | Mapping[str, Any]
CONNECTIONS = 12
WAIT_SECONDS = 5.0
# What a connection needs to notice that the server is gone; a value in the URL wins.
DEFAULTS = {"connect_timeout": "5", "tcp_user_timeout": "10000", "keepalives_idle": "10", "application_name": "jobtail"}
# What no URL may change.
OURS = {"client_encoding": "UTF8"}
# What a server may have been set to, and what our writes need: each statement to see what was committed before it, a
# commit that is on the disk, and bytes that arrive as they are. A pooler in transaction mode keeps no settings of a
# session, so they are set within each transaction, but only where the server has others.
_ODD = (
    "SELECT current_setting('default_transaction_isolation') <> 'read committed'"
    " OR current_setting('synchronous_commit') = 'off' OR current_setting('standard_conforming_strings') = 'off'"
)
_EVEN = (
    "SELECT set_config('standard_conforming_strings', 'on', true), set_config('synchronous_commit',"
    " replace(current_setting('synchronous_commit'), 'off', 'local'), true)"
)
# Conditions of the server that pass: it starts, stops, has no room for connections, is a standby, or has no space.
_FATAL = re.compile(r"FATAL:\s+(.*)")
_PASSING_WORDS = ("starting up", "shutting down", "recovery", "too many", "connection slots", "server_login", "pooler")
# What libpq finds wrong by itself, and waiting would not mend. Its own words are not given: they name hosts and values.
_AMISS = {
    "no password supplied": "it asks for a password, and there is none in the address, in PGPASSWORD or in a file",
    "does not support SSL": "it has no TLS, which the address asks for",
    "certificate": "its certificate can't be checked as the address asks for: sslmode and sslrootcert decide that",
    "requirement": "it asks for another way of signing in than require_auth in the address takes",
    "channel binding": "it signs us in without the channel binding that the address asks for",
    "definition of service": "the address names a service that no service file has",
}
_PARAMETER = re.compile(
    r"(?:^|: )(?:could not (?:match|parse)|bad value for|invalid\b).*?"
    r"(port number|hosts\b|network address|(?<=connection option \")\w+|\w+(?=\"? value:)|(?<=bad value for )\w+)"
)
# What PgBouncer says before it has given a statement to a server.
_UNGIVEN = (
    "server login", "server_login_retry", "query_wait_timeout", "cannot connect to server", "no more connections",
)  # fmt: skip
_PASSING = ("08", "53", "57P", "58", "25006", "40", "55P03")


class _NotBegun(StoreDown):
    """The session ended just before it was used."""


class PostgresDatabase:
    """A pool of connections, each transaction on one of them. Every method may raise JournalError."""

    def __init__(self, url: str, connections: int = CONNECTIONS) -> None:
        address = conninfo.make_conninfo("", **(DEFAULTS | parsed(url) | OURS))
        self._patience = Patience()
        try:
            self._look(address)
        except BaseException:
            self._patience.close()
            raise
        self._odd = False
        # A prepared statement would belong to one session behind the pooler.
        options = {"autocommit": True, "prepare_threshold": None}
        self._pool: ConnectionPool[Any] = ConnectionPool(
            address,
            kwargs=options, min_size=0, max_size=connections, timeout=WAIT_SECONDS, max_idle=60.0, open=True,
            reconnect_timeout=2.0, reconnect_failed=lambda pool: None, configure=self._configure, name="jobtail",
        )  # fmt: skip
        self._checking = threading.Lock()

    def hurry(self, seconds: float) -> None:
        """What is under way, and what is asked from now on, has no longer than this: then it is given up."""
        self._patience.hurry(seconds)

    def close(self) -> None:
        self._pool.close(timeout=max(0.1, min(2.0, self._patience.left)))
        self._patience.close()

    @contextlib.contextmanager
    def _connection(self, seconds: float | None) -> Iterator[Any]:
        """A connection, given back afterwards, or thrown away where it broke. `seconds`: how long answers may take."""
        try:
            connection = self._alive()
        except (PoolTimeout, PoolClosed) as error:
            raise StoreDown("the database does not answer") from error
        try:
            with self._patience.bounded(connection, seconds):
                yield connection
        finally:
            self._pool.putconn(connection)

    def _alive(self) -> Any:
        deadline = time.monotonic() + min(WAIT_SECONDS, self._patience.left)
        while (left := deadline - time.monotonic()) > 0:
            connection = self._pool.getconn(timeout=left)
            if not ended(connection):
                return connection
            connection.close()
            self._pool.putconn(connection)
        raise PoolTimeout

    def read(self, sql: str, values: Values = (), *, seconds: float | None = ANSWER_SECONDS) -> list[tuple[Any, ...]]:
        """The rows. Where the connection turns out to be dead, the read is repeated once."""
        return self._again(lambda connection: self._rows(connection, sql, values), seconds)

    def write(self, sql: str, values: Values = (), *, seconds: float | None = ANSWER_SECONDS) -> list[tuple[Any, ...]]:
        """One statement, in a transaction of its own. OutcomeUnknown where the connection broke while it ran."""
        return self.transaction(lambda connection: self._rows(connection, sql, values), single=True, seconds=seconds)

    def transaction(
        self, work: Callable[[Any], T], *, single: bool = False, seconds: float | None = ANSWER_SECONDS
    ) -> T:
        """`work` with a connection: all of it holds or nothing does. OutcomeUnknown as above. `single`: it is one
        statement, which needs no transaction around it."""
        try:
            return self._once(work, single, seconds)
        except _NotBegun:
            return self._once(work, single, seconds)

    def _once(self, work: Callable[[Any], T], single: bool, seconds: float | None) -> T:
        with self._connection(seconds) as connection:
            try:
                return self._worked(connection, work, single)
            except psycopg.Error as error:
                broken = connection.broken or connection.closed
                if broken:
                    self._purge()
                raised = translated(error)
                if isinstance(error, psycopg.errors.IdleSessionTimeout):
                    raise _NotBegun(raised.detail) from error
                if broken and not _refused(error):
                    raise OutcomeUnknown(f"whether the last write was kept is not known: {raised.detail}") from error
                raise raised from error

    def _worked(self, connection: Any, work: Callable[[Any], T], single: bool) -> T:
        if single and not self._odd:
            return work(connection)
        with connection.transaction():
            if self._odd:
                connection.execute(_EVEN)
            return work(connection)

    def _configure(self, connection: Any) -> None:
        """A new connection."""
        connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        with self._patience.bounded(connection, WAIT_SECONDS):
            # A statement that waits for a lock when we are gone ends by itself, and holds no place. Some systems can't.
            with contextlib.suppress(psycopg.Error):
                connection.execute("SET client_connection_check_interval = '5s'")
            self._odd = self._odd or connection.execute(_ODD).fetchone()[0]

    def _look(self, address: str) -> None:
        """A first connection, since the pool does not say why it gets none."""
        try:
            with psycopg.connect(address) as connection, self._patience.bounded(connection, WAIT_SECONDS):
                encoding = connection.execute("SHOW server_encoding").fetchone()
        except (psycopg.OperationalError, psycopg.ProgrammingError) as error:
            raise _unconnected(str(error)) from None
        except psycopg.Error as error:
            raise translated(error) from None
        if encoding is not None and encoding[0] not in ("UTF8", "SQL_ASCII"):
            raise JournalError(f"its encoding is {encoding[0]}, which can't hold every text: use one made with -E UTF8")

    def _again(self, work: Callable[[Any], T], seconds: float | None) -> T:
        began = time.monotonic()
        for last in (False, True):
            with self._connection(seconds) as connection:
                try:
                    return self._worked(connection, work, True)
                except psycopg.Error as error:
                    waited = seconds is not None and time.monotonic() - began >= seconds
                    if last or waited or not (connection.broken or connection.closed):
                        raise translated(error) from error
            self._purge()
        raise AssertionError("unreachable")

    def _purge(self) -> None:
        """After a failover all idle connections are dead: they are tried now, and not by one request after another."""
        if not self._checking.acquire(blocking=False):
            return
        try:
            with contextlib.suppress(psycopg.Error, PoolTimeout, PoolClosed):
                self._pool.check()
        finally:
            self._checking.release()

    @staticmethod
    def _rows(connection: Any, sql: str, values: Values) -> list[tuple[Any, ...]]:
        cursor = connection.execute(sql, values, binary=True)
        return list(cursor.fetchall()) if cursor.description is not None else []


def _unconnected(said: str) -> JournalError:
    """Why there is no connection. The text of libpq names hosts and roles, so only what the server says is given."""
    refused = _FATAL.findall(said)
    if not refused:
        if found := _PARAMETER.search(said):
            return JournalError(f"libpq does not take the {found[1]} in its address")
        amiss = [reason for words, reason in _AMISS.items() if words in said]
        return JournalError(amiss[0]) if amiss else StoreDown("the database does not answer")
    if any(passing in refused[-1] for passing in _PASSING_WORDS):
        return StoreDown(f"the database has no place for us yet: {refused[-1]}")
    return JournalError(f"the database refuses: {refused[-1]}")


def parsed(url: str) -> dict[str, str]:
    """SettingsError where it is not an address that libpq takes; the message never quotes it, since it may hold a
    password."""
    try:
        return {name: str(value) for name, value in conninfo.conninfo_to_dict(url).items()}
    except psycopg.ProgrammingError:
        raise SettingsError(
            "JOBTAIL_DATABASE_URL is not an address of a PostgreSQL database: it takes one such as"
            " postgresql://user@host:5432/name, as libpq documents it"
        ) from None


def translated(error: psycopg.Error) -> JournalError:
    """What went wrong, in one sentence without addresses or values."""
    state = getattr(error, "sqlstate", None) or ""
    diagnosis = getattr(getattr(error, "diag", None), "message_primary", None)
    said = str(diagnosis or "").strip()
    if state == "25006":
        return JournalError("the database is read-only (a standby, or set so)")
    if state.startswith("53"):
        return JournalError(f"the database has no room left: {said}")
    if state in ("42501", "28000", "28P01"):
        return JournalError(f"the database refuses: {said}")
    if not state or state.startswith(_PASSING):
        return StoreDown(f"the database does not answer{': ' + said if said else ''}")
    return JournalError(f"the database says: {said}")


def _refused(error: psycopg.Error) -> bool:
    """The server said itself that it did nothing: it was shutting down, or is a standby. Or the pooler has none."""
    state = getattr(error, "sqlstate", None) or ""
    if state.startswith("08") and any(words in str(error) for words in _UNGIVEN):
        return True
    return state.startswith(("53", "25006", "57P03", "42", "28"))

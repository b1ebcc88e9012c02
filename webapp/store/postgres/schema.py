"""The tables, in a schema of their own, and how an older schema becomes this one.

A job's row in `journal` names its lines by `data`, so that lines are thrown away by pointing to a new `data`; what is
no longer pointed to is removed in small pieces. Rows of `batch` and `trace` are added and, while they are small, merged
with their neighbours after a while (`compaction.py`); they are never changed, so that a slow job leaves no dead rows
behind each of its lines. The one row that each append changes has no index on what it changes and room on its page, so
that PostgreSQL reuses the space at once (HOT).
"""

from __future__ import annotations

from typing import Any

from ...errors import JournalError, NewerSchema

VERSION = 4
# An arbitrary number, the same in every version: the advisory lock that is held while the schema is brought up.
LOCK = 0x6A6F6274
TABLES = """
CREATE SCHEMA IF NOT EXISTS jobtail;
CREATE TABLE jobtail.meta (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    version integer NOT NULL,
    secret_key text NOT NULL DEFAULT '',
    proof timestamptz
);
CREATE SEQUENCE jobtail.data;
CREATE TABLE jobtail.journal (
    job text PRIMARY KEY,
    data bigint NOT NULL DEFAULT nextval('jobtail.data'),
    epoch text NOT NULL,
    token bigint NOT NULL,
    holder text NOT NULL DEFAULT '',
    held_until timestamptz NOT NULL DEFAULT '-infinity',
    last_line bigint NOT NULL DEFAULT 0,
    trimmed_to bigint NOT NULL DEFAULT 0,
    high_ms bigint NOT NULL DEFAULT -1,
    out_ms bigint NOT NULL DEFAULT -1,
    peak_ms bigint NOT NULL DEFAULT -1,
    sample_beat bigint NOT NULL DEFAULT -1,
    sample_loud integer NOT NULL DEFAULT 0,
    loose integer NOT NULL DEFAULT 0,
    bytes bigint NOT NULL DEFAULT 0,
    status text,
    upstream text,
    partial text,
    finished boolean NOT NULL DEFAULT false,
    complete boolean,
    revision bigint NOT NULL DEFAULT 0,
    changed timestamptz NOT NULL DEFAULT clock_timestamp(),
    timeline text NOT NULL DEFAULT '',
    confirmed boolean NOT NULL DEFAULT false,
    origin text NOT NULL DEFAULT ''
) WITH (fillfactor = 40, autovacuum_vacuum_scale_factor = 0.05);
CREATE TABLE jobtail.batch (
    data bigint NOT NULL,
    first bigint NOT NULL,
    last bigint NOT NULL,
    low_ms bigint NOT NULL,
    high_ms bigint NOT NULL,
    peak_ms bigint NOT NULL,
    longest integer NOT NULL,
    bytes integer NOT NULL,
    debug integer NOT NULL,
    info integer NOT NULL,
    warning integer NOT NULL,
    error integer NOT NULL,
    epoch text NOT NULL,
    marks bytea NOT NULL,
    times bytea NOT NULL,
    lines bytea NOT NULL,
    PRIMARY KEY (data, first)
) WITH (autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX batch_peak ON jobtail.batch (data, peak_ms, first);
CREATE TABLE jobtail.trace (
    data bigint NOT NULL,
    first bigint NOT NULL,
    low_ms bigint NOT NULL,
    high_ms bigint NOT NULL,
    times bytea NOT NULL,
    keys bytea NOT NULL,
    PRIMARY KEY (data, first)
) WITH (autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX trace_high ON jobtail.trace (data, high_ms, low_ms);
CREATE TABLE jobtail.untimed (
    data bigint NOT NULL, key bigint NOT NULL, n integer NOT NULL, PRIMARY KEY (data, key)
);
CREATE TABLE jobtail.gap (
    data bigint NOT NULL, after_line bigint NOT NULL, reason text NOT NULL, count bigint,
    PRIMARY KEY (data, after_line, reason)
);
CREATE TABLE jobtail.producer (
    data bigint NOT NULL, id text NOT NULL, epoch bigint NOT NULL, seq bigint NOT NULL, PRIMARY KEY (data, id)
);
CREATE TABLE jobtail.unused (data bigint PRIMARY KEY);
CREATE TABLE jobtail.job (
    id text PRIMARY KEY,
    name text NOT NULL,
    command text NOT NULL,
    cwd text NOT NULL,
    host text NOT NULL,
    "user" text NOT NULL,
    python text NOT NULL,
    pid bigint NOT NULL,
    created_ms bigint NOT NULL,
    heartbeat_ms bigint NOT NULL,
    state text NOT NULL,
    state_ms bigint NOT NULL,
    exit_code integer,
    detail text NOT NULL DEFAULT '',
    cancel_ms bigint,
    cancel_who text NOT NULL DEFAULT '',
    lost boolean NOT NULL DEFAULT false
) WITH (fillfactor = 70);
CREATE INDEX job_created ON jobtail.job (created_ms DESC, id DESC);
CREATE TABLE jobtail.cancellation (
    number bigserial PRIMARY KEY, job text NOT NULL, who text NOT NULL, at_ms bigint NOT NULL,
    address text NOT NULL, share text NOT NULL
);
CREATE INDEX cancellation_job ON jobtail.cancellation (job, at_ms);
CREATE TABLE jobtail.report (
    job text PRIMARY KEY, producer text NOT NULL, epoch bigint NOT NULL, begun_by text NOT NULL
);
CREATE TABLE jobtail.share (
    number bigserial, id text PRIMARY KEY, job text NOT NULL, first_line bigint, last_line bigint,
    can_cancel boolean NOT NULL, note text NOT NULL, made_by text NOT NULL, made_ms bigint NOT NULL,
    ends_ms bigint NOT NULL, revoked_ms bigint, used_ms bigint
);
CREATE INDEX share_job ON jobtail.share (job);
CREATE TABLE jobtail.ended_session (id text PRIMARY KEY, ends_ms bigint NOT NULL);
CREATE TABLE jobtail.presence (
    process text NOT NULL, job text NOT NULL, viewers integer NOT NULL, until timestamptz NOT NULL,
    PRIMARY KEY (process, job)
) WITH (fillfactor = 70);
CREATE INDEX presence_job ON jobtail.presence (job);
"""
_ATTEMPT = """
CREATE UNLOGGED TABLE jobtail.attempt (
    kind text NOT NULL, address text NOT NULL, failures bigint NOT NULL, at timestamptz NOT NULL,
    known boolean NOT NULL, PRIMARY KEY (kind, address)
) WITH (fillfactor = 70);
CREATE INDEX attempt_at ON jobtail.attempt (at);
"""
TABLES += f"{_ATTEMPT}INSERT INTO jobtail.meta (version) VALUES ({VERSION});"
# What leads from each version to the next.
MIGRATIONS: dict[int, str] = {
    1: """
CREATE TABLE jobtail.report (
    job text PRIMARY KEY, producer text NOT NULL, epoch bigint NOT NULL, begun_by text NOT NULL
);
""",
    2: "ALTER TABLE jobtail.journal ADD COLUMN origin text NOT NULL DEFAULT '';",
    3: _ATTEMPT,
}


def prepare(connection: Any) -> None:
    """Makes the tables, or brings older ones up to this version; several processes may do it at once. NewerSchema;
    JournalError for a schema of that name that is not ours."""
    version = _version(connection)
    if version == VERSION:
        return
    if version is not None and version > VERSION:
        raise newer(version)
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        version = _version(connection)
        if version is None:
            connection.execute(TABLES)
            return
        for older in range(version, VERSION):
            connection.execute(MIGRATIONS[older])
        connection.execute("UPDATE jobtail.meta SET version = %s", (VERSION,))


def newer(version: int) -> NewerSchema:
    return NewerSchema(
        f"a newer jobtail wrote this database (version {version}; this one knows {VERSION}): run that one"
    )


def _version(connection: Any) -> int | None:
    """None where nothing of ours is there yet. Names are looked up in the catalog's rows: `to_regclass` would answer
    from what this session remembers, and miss what another process has just made."""
    rows = connection.execute(
        "SELECT relname::text FROM pg_class WHERE relname IN ('meta', 'journal')"
        " AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'jobtail')"
    ).fetchall()
    found = {name for (name,) in rows}
    if not found:
        return None
    row = connection.execute("SELECT version FROM jobtail.meta").fetchone() if "meta" in found else None
    if row is None:
        raise JournalError("the database has a schema named jobtail that is not of this program: use another database")
    return int(row[0])

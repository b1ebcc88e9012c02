"""The tables of `jobtail.sqlite3` and of `presence.sqlite3`."""

TABLES = """
CREATE TABLE IF NOT EXISTS job (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    command TEXT NOT NULL,
    cwd TEXT NOT NULL,
    host TEXT NOT NULL,
    user TEXT NOT NULL,
    python TEXT NOT NULL,
    pid INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    heartbeat_ms INTEGER NOT NULL,
    state TEXT NOT NULL,
    state_ms INTEGER NOT NULL,
    exit_code INTEGER,
    detail TEXT NOT NULL DEFAULT '',
    cancel_ms INTEGER,
    cancel_who TEXT NOT NULL DEFAULT '',
    lost INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS job_created ON job (created_ms DESC, id DESC);
CREATE TABLE IF NOT EXISTS proof (only INTEGER PRIMARY KEY CHECK (only = 1), at_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS cancellation (
    job TEXT NOT NULL,
    who TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    address TEXT NOT NULL DEFAULT '',
    share TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS cancellation_job ON cancellation (job, at_ms);
CREATE TABLE IF NOT EXISTS report (
    job TEXT PRIMARY KEY, producer TEXT NOT NULL, epoch INTEGER NOT NULL, begun_by TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS share (
    id TEXT PRIMARY KEY,
    job TEXT NOT NULL,
    first_line INTEGER,
    last_line INTEGER,
    can_cancel INTEGER NOT NULL,
    note TEXT NOT NULL,
    made_by TEXT NOT NULL,
    made_ms INTEGER NOT NULL,
    ends_ms INTEGER NOT NULL,
    revoked_ms INTEGER,
    used_ms INTEGER
);
CREATE INDEX IF NOT EXISTS share_job ON share (job, made_ms);
CREATE TABLE IF NOT EXISTS ended_session (id TEXT PRIMARY KEY, ends_ms INTEGER NOT NULL);
"""

PRESENCE = """
CREATE TABLE IF NOT EXISTS presence (
    process TEXT NOT NULL,
    job TEXT NOT NULL,
    viewers INTEGER NOT NULL,
    boot TEXT NOT NULL,
    until REAL NOT NULL,
    PRIMARY KEY (process, job)
);
CREATE TABLE IF NOT EXISTS attempt (
    kind TEXT NOT NULL,
    address TEXT NOT NULL,
    failures INTEGER NOT NULL,
    boot TEXT NOT NULL,
    at REAL NOT NULL,
    known INTEGER NOT NULL,
    PRIMARY KEY (kind, address)
);
CREATE INDEX IF NOT EXISTS attempt_at ON attempt (at);
"""

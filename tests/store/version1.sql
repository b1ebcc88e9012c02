-- A journal of one line as the first version of the schema had it.
PRAGMA page_size = 8192;
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
CREATE TABLE state (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    job TEXT NOT NULL,
    epoch TEXT NOT NULL,
    last_line INTEGER NOT NULL DEFAULT 0,
    trimmed_to INTEGER NOT NULL DEFAULT 0,
    high_ms INTEGER NOT NULL DEFAULT -1,
    out_ms INTEGER NOT NULL DEFAULT -1,
    status TEXT,
    upstream TEXT,
    finished INTEGER NOT NULL DEFAULT 0,
    complete INTEGER,
    sample_beat INTEGER NOT NULL DEFAULT -1,
    sample_loud INTEGER NOT NULL DEFAULT 0,
    revision INTEGER NOT NULL DEFAULT 0,
    holder TEXT NOT NULL DEFAULT '',
    held_until REAL NOT NULL DEFAULT 0
);
CREATE TABLE batch (
    first INTEGER PRIMARY KEY,
    last INTEGER NOT NULL,
    low_ms INTEGER NOT NULL,
    high_ms INTEGER NOT NULL,
    peak_ms INTEGER NOT NULL,
    longest INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    debug INTEGER NOT NULL,
    info INTEGER NOT NULL,
    warning INTEGER NOT NULL,
    error INTEGER NOT NULL
);
CREATE INDEX batch_peak ON batch (peak_ms, first);
CREATE TABLE body (
    first INTEGER PRIMARY KEY,
    marks BLOB NOT NULL,
    times BLOB NOT NULL,
    lines BLOB NOT NULL
);
CREATE TABLE trace (
    first INTEGER PRIMARY KEY,
    low_ms INTEGER NOT NULL,
    high_ms INTEGER NOT NULL,
    times BLOB NOT NULL,
    keys BLOB NOT NULL
);
CREATE INDEX trace_high ON trace (high_ms, low_ms);
CREATE TABLE untimed (key INTEGER PRIMARY KEY, n INTEGER NOT NULL);
CREATE TABLE gap (
    after_line INTEGER NOT NULL,
    reason TEXT NOT NULL,
    count INTEGER,
    PRIMARY KEY (after_line, reason)
);
PRAGMA user_version = 1;
INSERT INTO state (only, job, epoch, last_line, high_ms, out_ms, revision, holder, held_until)
    VALUES (1, 'a-job', 'abc1234', 1, 5, 5, 7, 'somebody', 9999999999);
INSERT INTO batch VALUES (1, 1, 5, 5, 5, 70, 70, 0, 0, 0, 0);
INSERT INTO body VALUES (1, x'08', x'0500000000000000',
    CAST('{"id":"abc1234-1","line":1,"timestamp":5,"message":"old","level":null}' AS BLOB));
INSERT INTO trace VALUES (1, 5, 5, x'0500000000000000', x'0700000000000000');

BEGIN TRANSACTION;
CREATE TABLE cancellation (
    job TEXT NOT NULL,
    who TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    address TEXT NOT NULL DEFAULT '',
    share TEXT NOT NULL DEFAULT ''
);
INSERT INTO "cancellation" VALUES('a-job','ada',5,'10.0.0.1','');
CREATE TABLE ended_session (id TEXT PRIMARY KEY, ends_ms INTEGER NOT NULL);
INSERT INTO "ended_session" VALUES('signed-out',4000000000000);
CREATE TABLE job (
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
INSERT INTO "job" VALUES('a-job','a job','["echo", "hi"]','/srv','host','me','3.11',42,1000,1000,'Running',1000,NULL,'',NULL,'',0);
CREATE TABLE proof (only INTEGER PRIMARY KEY CHECK (only = 1), at_ms INTEGER NOT NULL);
CREATE TABLE share (
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
INSERT INTO "share" VALUES('a-share','a-job',3,5,1,'for bob','ada',1000,4000000000000,NULL,NULL);
INSERT INTO "share" VALUES('gone','a-job',NULL,NULL,0,'','ada',1000,4000000000000,2000,NULL);
CREATE INDEX job_created ON job (created_ms DESC, id DESC);
CREATE INDEX cancellation_job ON cancellation (job, at_ms);
CREATE INDEX share_job ON share (job, made_ms);
COMMIT;

"""Who may write a journal, by the database's clock; and what a failover means for it.

A standby that was promoted without having received all that the primary committed (asynchronous replication) lacks the
end of some journals. Their next lines would get numbers that were given before, so such a journal goes on under a new
epoch, with the lines that are left, and viewers that come with an old id get a `reset`. A promotion shows in the
server's timeline; each journal keeps the one of its last write, and whether that write had been confirmed by a
synchronous standby, which then cannot lack it. A replica that remembers a greater revision than the journal has notices
it as well.

A dump that is put back makes the tables anew, and lacks what was written since it was made. So each row keeps which
table and which server it was written in, and a journal that finds itself in another goes on under a new epoch.
"""

from __future__ import annotations

# The first eight digits of a WAL file's name are the timeline; every role may see them.
TIMELINE = "substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"
CONFIRMED = (
    "(current_setting('synchronous_standby_names') <> ''"
    " AND current_setting('synchronous_commit') NOT IN ('off', 'local'))"
)
# A table that is made anew gets another oid; another server may give the same one.
ORIGIN = (
    "('jobtail.journal'::regclass::oid::bigint::text || '.' ||"
    " (SELECT system_identifier FROM pg_control_system())::text)"
)
# Of a journal's row: its end may be missing. `shown`: the greatest revision that this replica has seen.
_MAYBE_CUT = (
    f"((timeline <> '' AND timeline <> {TIMELINE} AND NOT confirmed AND last_line > 0)"
    f" OR (origin <> '' AND origin <> {ORIGIN} AND last_line > 0) OR revision < %(shown)s)"
)
BEGIN = (
    "INSERT INTO jobtail.journal (job, epoch, token) VALUES (%(job)s, %(epoch)s,"
    " (extract(epoch FROM clock_timestamp()) * 1000000)::bigint) ON CONFLICT (job) DO NOTHING"
)
CLAIM = (
    "UPDATE jobtail.journal SET token = token + 1, holder = %(holder)s,"
    " held_until = clock_timestamp() + %(seconds)s * interval '1 second',"
    f" epoch = CASE WHEN {_MAYBE_CUT} THEN %(epoch)s ELSE epoch END,"
    f" revision = CASE WHEN {_MAYBE_CUT} THEN greatest(revision, %(shown)s) + 1 ELSE revision END,"
    f" timeline = {TIMELINE}, origin = {ORIGIN}, confirmed = {CONFIRMED}"
    " WHERE job = %(job)s AND (held_until <= clock_timestamp() OR %(take_over)s)"
    " RETURNING epoch, token, last_line, high_ms, out_ms, peak_ms, sample_beat, sample_loud, loose, revision"
)
# A replica found that a journal is behind what it has shown: it goes on under another epoch at once.
RENEW_EPOCH = (
    "UPDATE jobtail.journal SET epoch = %(epoch)s, token = token + 1, held_until = '-infinity', holder = '',"
    f" revision = %(shown)s + 1, timeline = {TIMELINE}, origin = {ORIGIN} WHERE job = %(job)s AND revision < %(shown)s"
)
HOLDER = (
    "SELECT holder, CASE WHEN held_until > clock_timestamp()"
    " THEN extract(epoch FROM held_until - clock_timestamp())::float8 ELSE 0 END FROM jobtail.journal WHERE job = %s"
)
# A write is one for the fence: the token, the epoch, the line at which the journal ends, and the server's timeline.
FENCED = (
    f"job = %(job)s AND token = %(token)s AND epoch = %(epoch)s AND last_line = %(before)s AND timeline = {TIMELINE}"
)

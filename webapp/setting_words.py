"""What people are told of each setting: what it takes, an example, what it does. `settings.py` says with it what would
have been right, and `scripts/settings.py` writes the table of `docs/settings.md` from it.
"""

from __future__ import annotations

from typing import NamedTuple


class Words(NamedTuple):
    """`takes`: "it takes ...". `does`: Markdown, for `docs/settings.md`."""

    takes: str
    example: str
    does: str


WORDS = {
    "host": Words(
        "a name or address of this machine",
        "127.0.0.1",
        "Address to listen on (`0.0.0.0` and `::` are all of them). "
        "Any other than loopback needs `JOBTAIL_ACCESS_TOKEN`.",
    ),
    "port": Words(
        "a whole number from 0 to 65535",
        "8484",
        "Port to listen on; 0 takes a free one and prints it.",
    ),
    "upstream_url": Words(
        "an http or https address without user, query or fragment",
        "https://www.fused.io/server/v1",
        "Base of the Fused wire. Empty: the embedded engine, which runs commands of this machine.",
    ),
    "upstream_token": Words(
        "visible ASCII characters without blanks between them, as a header can hold",
        "TOKEN",
        "The service's own credential at the upstream. It goes there and nowhere else.",
    ),
    "upstream_auth_scheme": Words(
        "a word of letters, digits and hyphens that begins with a letter",
        "Fused-Service-Token",
        "The scheme it is sent with.",
    ),
    "access_token": Words(
        "a secret",
        "TOKEN",
        "What people and programs sign in with. Empty: only this machine is answered. Make one with `openssl "
        "rand -hex 24`.",
    ),
    "metrics_token": Words(
        "a secret",
        "TOKEN",
        "Reads `/metrics` and nothing else; owners may read it too.",
    ),
    "run_token": Words(
        "tokens of visible ASCII characters without blanks, with commas, each also as name=token",
        "ci=TOKEN,gpu=TOKEN",
        "With it `jobtail run --to` on other machines begins jobs and writes to those that it began, and "
        "nothing else ([push.md](push.md)). Several with commas, newest first; each may be named: "
        "`ci=…,gpu=…`. Removing one ends its grants.",
    ),
    "run_jobs_a_minute": Words(
        "a whole number from 1",
        "600",
        "Jobs that one token may begin a minute, in each process of the service; beyond it 429 with "
        "`Retry-After`, which runners obey.",
    ),
    "run_lines_a_minute": Words(
        "a whole number from 1",
        "6000000",
        "Lines that one token's jobs may bring a minute.",
    ),
    "run_bytes_a_minute": Words(
        "a whole number of bytes from 1",
        "1073741824",
        "Bytes that one token's jobs may bring a minute.",
    ),
    "run_open_jobs": Words(
        "a whole number from 1",
        "1000",
        "Jobs that one token may have running.",
    ),
    "trusted_user_header": Words(
        "the name of a header: letters, digits and hyphens",
        "X-Auth-Request-Email",
        "The header in which a sign-in proxy names the user. Needs the next one, and an access token.",
    ),
    "trusted_proxies": Words(
        "addresses or networks, with commas",
        "10.0.0.5,10.1.0.0/16",
        "The addresses of your proxies. That header, and the visitor's address in `X-Forwarded-For`, are believed "
        "only in requests from there.",
    ),
    "allowed_origins": Words(
        "origins, with commas",
        "https://dash.example",
        "Other sites whose pages may read the API with the access token (CORS).",
    ),
    "secret_key": Words(
        "a secret, or several with commas, the newest first",
        "NEWEST,OLDER",
        "Signs links and cookies. Several, with commas, newest first: the first signs, all are accepted. "
        "Empty: one is made and kept in the data folder as `secret.key`.",
    ),
    "public_url": Words(
        "an http or https address without user, query or fragment",
        "https://logs.example",
        "Base of the links that are printed and shared; its path is where the proxy puts us, as in "
        "`https://host.example/logs`. See [proxies.md](proxies.md).",
    ),
    "data_dir": Words(
        "a folder that only this user has to do with",
        "/var/lib/jobtail",
        "Where journals, embedded jobs, links and the key are kept.",
    ),
    "database_url": Words(
        "an address of a PostgreSQL database",
        "postgresql://jobtail@db.example:5432/jobtail",
        "`postgresql://user@host:5432/name` (any address that libpq takes: several hosts, TLS; the password "
        "may come from `PGPASSWORD` or a password file): everything that lasts stands in that database, and "
        "any number of replicas are one service. Empty: SQLite in the data folder. Needs the extra "
        "`postgres`: `pip install '.[postgres]'`.",
    ),
    "workers": Words(
        "a whole number from 1 to 64",
        "4",
        "Processes that share the socket, on SQLite as on PostgreSQL: one a core. They are started again "
        "when they die, and stop together. The bounds below hold for each of them.",
    ),
    "log_format": Words(
        "text or json",
        "json",
        "The service's own log on standard error: `text` for people, `json` for programs, one object a line.",
    ),
    "log_level": Words(
        "debug, info, warning or error",
        "warning",
        "What is logged: `debug`, `info` (each request), `warning` or `error`.",
    ),
    "refresh_seconds": Words(
        "a number of seconds from 0.05 to 60",
        "0.5",
        "Slowest beat of polling a running job while somebody watches; also the beat of sampling.",
    ),
    "late_window_seconds": Words(
        "a number of seconds from 0 to 120",
        "30",
        "How late an entry may turn up and still be found within seconds. Later ones are found by the sweep "
        "and at the end.",
    ),
    "retention_days": Words(
        "a number of days greater than 0",
        "90",
        "For how many days a job's lines are kept after the last change.",
    ),
    "journal_max_bytes": Words(
        "a whole number of bytes from 1048576",
        "53687091200",
        "How much all journals may take (10 GiB); beyond it the oldest go, and viewers are told by a `gap`.",
    ),
    "disk_reserve_bytes": Words(
        "a whole number of bytes from 0",
        "2147483648",
        "How much of the disk is to stay free (512 MiB, and never more than a twentieth of it). Below that "
        "the oldest finished jobs are forgotten; below a quarter of it no new lines are taken "
        "([operations.md](operations.md#a-full-disk)). 0 turns both off.",
    ),
    "max_viewers": Words(
        "a whole number from 1",
        "500",
        "Viewers at once; beyond it 503 with `Retry-After`.",
    ),
    "max_viewers_per_job": Words(
        "a whole number from 1",
        "200",
        "The same for one job.",
    ),
    "max_line_bytes": Words(
        "a whole number of bytes from 64",
        "16384",
        'A stream cuts a longer line and marks it `"cut": true`, with the `message_bytes` it had; of one '
        "that redraws the end state is kept; `/logs` gives whole lines unless asked for less "
        "(`max_line_bytes`).",
    ),
    "redact": Words(
        "expressions (RE2), one a line",
        "acme-[0-9a-f]{32}",
        "Expressions (RE2, one a line) that are blanked before a line reaches the journal. A group named "
        "`secret` is what is blanked; one named `assigned` unless it is a placeholder, one named `likely` "
        "only where it looks like a secret; without a group the whole match. If it is set, only these are used; an "
        "empty line turns all of them off. The service's own credentials are always blanked.",
    ),
}

"""What is wrong, and what to do about it."""

from __future__ import annotations

import contextlib
import difflib
import os
import pwd
import resource
import shlex
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from ..access.seats import FEWEST_DESCRIPTORS
from ..errors import JobtailError
from ..room import Room, amount
from ..settings import Settings, load_settings, misspelt, origins, variables
from .options import json_option
from .out import Painted, say, show_json

GOOD, WARN, BAD = "ok", "look", "bad"
_COLOURS = {GOOD: "green", WARN: "yellow", BAD: "red"}
FEW_FILES = 1024
FAR_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Finding:
    """`what` was looked at, how it is, and where that is not well, what to do."""

    what: str
    how: str
    found: str
    do: str = ""


@click.command("doctor")
@click.option("--url", help="A running service to ask what it sees of a request [JOBTAIL_URL, else where it would be].")
@json_option
def command(url: str | None, as_json: bool) -> int:
    """Look at the settings, the data folder or database, the upstream, the clock, the limits, and at a running service
    as a proxy in front shows it. Exit code 1 where something is bad. Nothing is changed.

    \b
    Examples:
      jobtail doctor
      jobtail doctor --url https://logs.example.org
    """
    findings = list(examined(url))
    if as_json:
        show_json([{"what": f.what, "state": f.how, "found": f.found, "do": f.do} for f in findings])
    else:
        for each in findings:
            say(Painted(f"{each.how:<5}", _COLOURS[each.how]), f"{each.what}: {each.found}")
            if each.do:
                say("      ", each.do)
    return 1 if any(each.how == BAD for each in findings) else 0


def examined(url: str | None) -> Iterator[Finding]:
    try:
        settings = load_settings()
    except JobtailError as error:
        yield Finding("settings", BAD, str(error), "Correct that variable, or take it out.")
        return
    yield from _settings(settings)
    yield from _files()
    yield from _store(settings)
    if settings.upstream_url:
        yield from _upstream(settings)
    yield from _service(settings, url)


def _settings(settings: Settings) -> Iterator[Finding]:
    for variable, (value, origin) in origins(settings).items():
        yield Finding(variable, GOOD, f"{value} ({origin})")
    for name in misspelt():
        near = difflib.get_close_matches(name, variables(), 1, 0.8)
        do = f"Did you mean {near[0]}?" if near else "See docs/settings.md, or take it out."
        yield Finding(name, WARN, "there is no such setting, and nothing obeys it", do)
    if not settings.access_token.get_secret_value():
        yield Finding("access", GOOD, "no access token: only this machine is answered")
    elif len(settings.access_token.get_secret_value()) < 16:
        yield Finding("access", WARN, "the access token is short", "Make one: openssl rand -hex 24")


def _files() -> Iterator[Finding]:
    """By the hard limit, up to which the service raises its own."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or hard >= FEW_FILES:
        yield Finding("open files", GOOD, "no bound" if hard == resource.RLIM_INFINITY else f"at most {hard}")
        return
    how, why = WARN, "each viewer is an open file"
    if hard < FEWEST_DESCRIPTORS:
        how, why = BAD, f"jobtail serve needs {FEWEST_DESCRIPTORS} at least"
    yield Finding("open files", how, f"at most {hard}", f"Raise it (LimitNOFILE= of systemd, ulimit -n): {why}.")


def _store(settings: Settings) -> Iterator[Finding]:
    from .local import opened

    database = settings.database_url.get_secret_value()
    what = "database" if database else "data folder"
    if not database and settings.data_dir.exists():
        mode = stat.S_IMODE(settings.data_dir.stat().st_mode)
        if foreign := _of_another(settings.data_dir):
            do = f"Run as that user, or where the service runs as {_user(os.getuid())}: "
            do += f"chown -R {_user(os.getuid())} {shlex.quote(str(settings.data_dir))}"
            yield Finding("rights", BAD, f"{foreign} is of another user ({_user(foreign.lstat().st_uid)})", do)
        elif mode & 0o077:
            yield Finding("rights", WARN, f"{settings.data_dir} can be entered by others ({mode:o})", "chmod 700 it.")
    try:
        with opened(settings) as store:
            began = time.monotonic()
            store.writable()
            took = (time.monotonic() - began) * 1000
            size = store.journals.size()
            room = store.journals.room()
            off = (store.catalog.now_ms() - time.time() * 1000) / 1000
    except JobtailError as error:
        do = "Is it running, and is JOBTAIL_DATABASE_URL right?" if database else "See its rights and the free space."
        yield Finding(what, BAD, str(error), do)
        return
    yield Finding(what, GOOD, f"a write takes {took:.1f} ms; the journals take {size:,} bytes")
    if room is not None:
        yield _room(room)
    if abs(off) > FAR_SECONDS:
        yield Finding("clock", WARN, f"the database's is {off:+.0f} s from ours", "Let both follow a time server.")


def _of_another(folder: Path) -> Path | None:
    """What is not ours of a data folder, as after a restore by another user."""
    for path in (folder, *folder.iterdir()) if os.access(folder, os.R_OK | os.X_OK) else (folder,):
        with contextlib.suppress(FileNotFoundError):
            if path.lstat().st_uid != os.getuid():
                return path
    return None


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _room(room: Room) -> Finding:
    do = "Free some, or keep less: jobtail journal prune --days N, JOBTAIL_RETENTION_DAYS, JOBTAIL_JOURNAL_MAX_BYTES."
    how = {"ample": GOOD, "low": WARN, "full": BAD}[room.level]
    return Finding("disk", how, room.words or f"{amount(room.free)} are free", do if room.words else "")


def _upstream(settings: Settings) -> Iterator[Finding]:
    import anyio

    from ..journal.redact import Redactor
    from ..source.fused import FusedSource

    async def ask() -> None:
        source = FusedSource(settings, Redactor(settings.redact, settings.credentials()))
        try:
            await source.jobs(1, 0)
        finally:
            await source.aclose()

    try:
        anyio.run(ask)
        yield Finding("upstream", GOOD, "it lists its jobs")
    except JobtailError as error:
        yield Finding("upstream", BAD, str(error), "Check JOBTAIL_UPSTREAM_URL, its token and the scheme of it.")


def _service(settings: Settings, url: str | None) -> Iterator[Finding]:
    import httpx

    from ..engine import link

    base = (url or os.environ.get("JOBTAIL_URL") or link.base(settings)).rstrip("/")
    token = os.environ.get("JOBTAIL_TOKEN") or settings.access_token.get_secret_value()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        answer = httpx.get(f"{base}/api/seen", headers=headers, timeout=10, follow_redirects=False)
    except httpx.HTTPError as error:
        yield Finding("service", WARN, f"none answers at {base} ({type(error).__name__})", "Start it: jobtail serve")
        return
    if answer.status_code != 200:
        do = "Set JOBTAIL_TOKEN to its access token." if answer.status_code == 401 else "Is that a jobtail?"
        yield Finding("service", WARN, f"{base} answers {answer.status_code}", do)
        return
    yield from _seen(base, answer.json())


def _seen(base: str, seen: dict[str, Any]) -> Iterator[Finding]:
    yield Finding("service", GOOD, f"{base} answers; it sees {seen['address']} ask for {seen['base']}")
    off = float(seen["time_ms"]) / 1000 - time.time()
    if abs(off) > FAR_SECONDS:
        yield Finding("clock", WARN, f"the service's is {off:+.0f} s from ours", "Let both follow a time server.")
    if seen["base"] != base:
        yield Finding(
            "proxy", WARN, f"links are made for {seen['base']}, and you came by {base}",
            "Set JOBTAIL_PUBLIC_URL, or let the proxy pass Host and X-Forwarded-Proto on.",
        )  # fmt: skip
    if seen["forwarded"] and not seen["trusted"]:
        yield Finding(
            "proxy", WARN, f"a proxy at {seen['peer']} names visitors, and is not trusted",
            f"Set JOBTAIL_TRUSTED_PROXIES={seen['peer']}, or all its visitors are one address.",
        )  # fmt: skip

"""An attacker in a process of its own for each way to hurt the service, and an honest owner beside it.

Attacker and owner come by the same way: to the service itself, or through a real HAProxy or nginx in front of it. What
is asserted of every attack stands in `conftest.check` and `conftest.watched`: the owner's lines come on, and the
service's memory and threads stay within bounds. `docs/security.md` has the figures.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator

import httpx
import pytest

from tests.cli.terminal import obeyed, on_terminal
from tests.security.house import KEY, OWNER, TOKEN, UPSTREAM_TOKEN, House
from tests.served import Served, until
from tests.upstream import Asked, Fault, now_ms
from webapp.stream.hub import UNKNOWN_MOST

from . import hostile
from .attack import attack
from .attackers import SMUGGLED
from .conftest import BIG, LONGEST_SECONDS, Ground, Watched, unhindered, watched

by = pytest.mark.parametrize


# --- 1: trailers and extensions


@by("way", ["the service", "haproxy"], indirect=True)
def test_what_comes_after_the_head_counts_for_nothing(ground: Ground, beside: Watched, door: str) -> None:
    with beside("trailers") as owner, attack("trailers", door=door, job=BIG) as attacker:
        owner.watches(4)
    told = attacker.told
    assert told["share 401"] > 20 and not [name for name in told if name.startswith("share 2")], told
    # Ten in a row, and a few more as the seconds to wait go by; each with an address of its own would never be stopped.
    assert told["sign-in 429"] > 0 and told["sign-in 401"] < 20, told
    assert told["floods"] > 8 and told["most bytes of a flood"] < 32 << 20, told
    answer = ground.house.ask("POST", f"/api/jobs/{BIG}/shares", {"X-User": "ada"}, json={})
    assert answer.status_code == 201, "the proxy itself may name a user"


@by("way", ["the service", "haproxy"], indirect=True)
def test_a_request_within_a_request_gets_nothing(door: str) -> None:
    """Through a proxy whose word on the user is believed, and which takes it away from what visitors send."""
    with attack("smuggles", door=door) as attacker:
        until(lambda: attacker.over, "all answers", 60)
    assert len({name.partition(":")[0] for name in attacker.told}) == len(SMUGGLED)
    assert {name.rpartition(" ")[2] for name in attacker.told} <= {"400", "401", "403", "404", "closed"}, attacker.told


# --- 2: walks


def test_walks_of_a_link_do_not_hold_up_the_owner(ground: Ground, beside: Watched, door: str) -> None:
    options = {"door": door, "job": BIG, "link": ground.link, "part": ground.part}
    with beside("walks") as owner, attack("walks", **options) as attacker:
        owner.watches(4)
    assert attacker.told["asked"] > 200, attacker.told


# Of random text RE2 has to try every place at which the expression may begin: a tenth of a second and more a line.
HARD = "a.{200}Q"
PROMPT_SECONDS = 20


@by("way", ["the service"], indirect=True)
def test_long_walks_of_two_links_leave_the_others_their_turn(ground: Ground, beside: Watched, door: str) -> None:
    """Two links keep every thread for walks at work with walks that take a minute each. Others wait for a turn and not
    for the end of a walk; a link has seats for 16; and nothing goes on for those who have gone."""
    house, draw = ground.house, random.Random(14)
    job = house.upstream.job("hard")
    job.add(*({"timestamp": now_ms(), "message": "".join(draw.choices("ab", k=16_000))} for _ in range(400)))
    until(lambda: house.owner("GET", "/api/jobs/hard/logs?format=ndjson&from_line=400").text, "the log", 60)
    links = [house.share("hard")[1] for _ in range(2)]
    options = {"door": door, "job": "hard", "links": links, "expression": HARD}
    search = f"{door}/api/jobs/{BIG}/search?q=line&limit=1"
    with beside("long walks") as owner, attack("walks_long", **options) as attacker:
        for headers in (ground.link, OWNER) * 2:
            found = httpx.get(search, headers=headers, timeout=PROMPT_SECONDS, trust_env=False)
            assert found.status_code == 200 and found.json()["count"] == 1, found.text
        owner.watches(2)
    assert attacker.told.get("503", 0) >= 48 and not attacker.told.get("500"), attacker.told
    until(lambda: _walking(house) == 0, "the walks of those who have gone to end", PROMPT_SECONDS)


def _walking(house: House) -> float:
    """How many threads walk a log."""
    found = re.search(r'limiter_tasks{limiter="scans",state="running"[^}]*} (\S+)', house.owner("GET", "/metrics").text)
    assert found is not None
    return float(found[1])


# --- 3: expressions


@by("way", ["the service", "haproxy"], indirect=True)
def test_expressions_do_not_hold_up_the_owner(ground: Ground, beside: Watched, door: str) -> None:
    with beside("expressions") as owner, attack("expressions", door=door, job=BIG, link=ground.link) as attacker:
        owner.watches(4)
    told = attacker.told
    assert told["400"] > 0 and told["200"] > 0 and not told.get("500"), told


# --- 4: cancels


def test_cancels_that_wait_do_not_hold_up_the_owner(ground: Ground, beside: Watched, door: str, way: str) -> None:
    house, job = ground.house, f"cancelled-by-{way.replace(' ', '-')}"
    house.upstream.job(job).log("begun")
    _, link = house.share(job, can_cancel=True)
    before = house.upstream.requests["cancel"]
    house.upstream.always["cancel"] = Fault("hang", seconds=60)
    try:
        with beside("cancels") as owner, attack("cancels", door=door, job=job, link=link) as attacker:
            until(lambda: house.upstream.requests["cancel"] > before, "the cancel")
            owner.watches(4)
        assert attacker.told["503"] > 80, attacker.told
        assert house.upstream.requests["cancel"] == before + 1
    finally:
        house.upstream.always.clear()


# --- 5: slow takers and slow givers


@pytest.fixture(scope="module")
def wide(ground: Ground) -> str:
    """A job whose log is a page of 6 MB."""
    job = ground.house.upstream.job("wide")
    job.add(*({"timestamp": now_ms(), "message": "w" * 16_000} for _ in range(400)))
    until(
        lambda: ground.house.owner("GET", "/api/jobs/wide/logs?format=ndjson&from_line=400").text, "the log", 60
    )  # fmt: skip
    return "wide"


@by("way", ["the service", "haproxy"], indirect=True)
def test_pages_that_are_taken_slowly_are_not_held(ground: Ground, wide: str, beside: Watched, door: str) -> None:
    """80 by somebody with the token, and 40 through a link, which has seats for fewer."""
    _, link = ground.house.share(wide)
    options = {"door": door, "job": wide, "callers": [OWNER] * 80 + [link] * 40, "wanted": 80}
    with beside("pages taken slowly") as owner, attack("takes_slowly", **options) as attacker:
        owner.watches(5)
    told = attacker.told
    assert told["200"] >= 80 and told["503"] >= 24 and told["pieces"] > 500, told


@by("way", ["the service"], indirect=True)
def test_who_drips_is_ended_in_time(ground: Ground, beside: Watched, door: str) -> None:
    """Of each form ten connections, which would stay for three minutes."""
    with beside("a byte now and then") as owner, attack("drips", door=door, each=10) as attacker:
        until(lambda: attacker.over, "all to be ended", 90)
        owner.watches(0)
    for name, milliseconds in attacker.told.items():
        allowed = 20 if "head" in name or "lines" in name else 11
        assert milliseconds < 1000 * (allowed + LONGEST_SECONDS), attacker.told


# --- 6: a hostile upstream


@pytest.fixture(scope="module")
def misled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service whose upstream is hostile."""
    with attack("hostile_upstream") as attacker:
        folder = tmp_path_factory.mktemp("misled")
        settings = {"data_dir": folder / "data", "access_token": TOKEN, "secret_key": KEY}
        served = Served({**settings, "upstream_url": attacker.ready}).start()
        try:
            yield served
        finally:
            served.stop()


@pytest.fixture(scope="module")
def undisturbed(misled: Served) -> float:
    return unhindered(misled.url)


def test_what_unfolds_without_end_is_not_held(misled: Served, undisturbed: float) -> None:
    paths = ("", "/logs", "/config", "/steps-config", "/events?timeout=1", "/wait?timeout=0")
    wanted = [("GET", f"/api/jobs/{hostile.BOMB}-{n}{path}", OWNER) for n in range(3) for path in paths]
    wanted += [("GET", f"/api/jobs?n={n}", OWNER) for n in range(1, 9)]
    wanted += [("POST", f"/api/jobs/{hostile.BOMB}-{n}/cancel", OWNER) for n in range(3)]
    with (
        watched(misled, "answers that unfold", "the service", misled.url, undisturbed) as owner,
        attack("asks", door=misled.url, requests=wanted) as attacker,
    ):
        owner.watches(4)
    assert attacker.told["502"] > 10 and not attacker.told.get("500"), attacker.told


def test_ids_that_are_none_reach_nobody(misled: Served) -> None:
    rows = until(lambda: _rows(misled), "a list without a bomb")
    assert [row["id"] for row in rows] == [hostile.EVIL, hostile.LIVE]
    status = misled.get(f"/api/jobs/{hostile.EVIL}", headers=OWNER).json()
    assert status["job_id"] == hostile.EVIL


def _rows(served: Served) -> list[dict[str, object]]:
    answer = served.get("/api/jobs", headers=OWNER)
    rows: list[dict[str, object]] = answer.json()["jobs"] if answer.status_code == 200 else []
    return rows


# --- 7: terminals


COMMANDS = (
    ("jobs",), ("status", hostile.EVIL), ("logs", hostile.EVIL, "--timestamps"), ("tail", hostile.EVIL, hostile.EVIL),
    ("config", hostile.EVIL),
)  # fmt: skip


def test_no_command_passes_on_what_a_terminal_obeys(misled: Served, undisturbed: float) -> None:
    """The upstream's strings, through a real service, to the commands on a terminal."""
    settings = {"url": misled.url, "token": TOKEN}
    with watched(misled, "sequences for terminals", "the service", misled.url, undisturbed) as owner:
        for command in COMMANDS:
            code, shown = on_terminal(*command, settings=settings)
            assert "Traceback" not in shown and code in (0, 1, 69), shown
            assert obeyed(shown) == "" and shown, command
        owner.watches(0)


# --- 8: links to some lines


@by("way", ["haproxy"], indirect=True)
def test_a_link_to_lines_is_told_the_same_however_long_the_log_is(ground: Ground, beside: Watched, door: str) -> None:
    house = ground.house
    job = house.upstream.job("growing")
    job.lines(1, 700, now_ms() - 20_000)
    whole = "/api/jobs/growing/logs?format=ndjson"
    until(lambda: house.owner("GET", whole).text.count("\n") == 700, "the log", 60)
    epoch = house.owner("GET", f"{whole}&limit=1").json()["id"].partition("-")[0]
    _, link = house.share("growing", lines=[3, 5])
    with beside("a link to lines 3 to 5") as owner, attack("reads_around", door=door, link=link) as attacker:
        asked = {"requests": around("growing", epoch)}
        before = attacker.say(json.dumps(asked))
        job.lines(701, 1500, now_ms() - 10_000)
        until(lambda: house.owner("GET", whole).text.count("\n") == 1500, "the log to grow", 60)
        after = attacker.say(json.dumps(asked))
        owner.watches(1)
    assert len(before) == len(asked["requests"]) and sum(" 200 OK" in said for said in before.values()) > 30
    for what, said in before.items():
        assert after[what] == said, what
    assert not [what for what, said in before.items() if re.search(r"\bline ([126-9]|\d\d+)\b", said)]


def around(job: str, epoch: str) -> list[tuple[str, str, dict[str, str]]]:
    """What a link's holder may ask of a job, on both wires, at cursors in, beside and behind the lines."""
    found: list[tuple[str, str, dict[str, str]]] = []
    base = f"/api/jobs/{job}"
    for path in (
        "", "/logs", "/logs?format=ndjson", "/logs?format=text", "/logs?tail=2", "/logs?q=line", "/logs?from_line=1",
        "/logs?from_line=699", "/search?q=line", "/search?q=nothing", "/exec-time", "/overview?parts=5", "/config",
        "/steps-config", "/shares", "/wait?timeout=0", "/events?timeout=0", "/events?timeout=0&q=line",
        "/events?timeout=0&tail=1", "/events?timeout=0&format=batch",
    ):  # fmt: skip
        found.append(("GET", base + path, {}))
        found.append(("GET", base + path, {"Range": "bytes=0-99999"}))
        found.append(("GET", base + path, {"If-None-Match": "*"}))
    for line in (0, 2, 3, 5, 6, 699, 700, 701, 1499, 1500, 1501, 99_999):
        for query in ("after", "before"):
            found.append(("GET", f"{base}/logs?{query}={epoch}-{line}", {}))
        for query in ("after", "last_event_id", "lastEventId"):
            found.append(("GET", f"{base}/events?timeout=0&{query}={epoch}-{line}", {}))
        found.append(("GET", f"{base}/events?timeout=0", {"Last-Event-ID": f"{epoch}-{line}.done"}))
    for path in (f"run/by-id/{job}", f"logs/{job}", f"logs/{job}?since_ms=0", f"job/by-id/{job}/config", "job/self"):
        found.append(("GET", f"/server/v1/{path}", {}))
    found += [("GET", f"/jobs/{job}", {}), ("HEAD", f"{base}/logs", {}), ("POST", f"{base}/cancel", {})]
    return found


# --- 9: secrets


LEAKED = "ghp_CanaryCanaryCanaryCanaryCanaryCanary0"


@by("way", ["nginx"], indirect=True)
def test_a_credential_comes_out_nowhere(ground: Ground, beside: Watched, door: str) -> None:
    """The service's own credentials and a leaked one, wherever an upstream can put a text, asked for by everybody."""
    house, words = ground.house, f"of {LEAKED} {TOKEN} {UPSTREAM_TOKEN} {KEY}"
    names = ("job_name", "instance_id", "instance_type", "status", "detail")
    config = {"name": words, "steps": [{"type": "udf", "name": words, "arguments": {"x": words}}]}
    job = house.upstream.job("leaking", status=dict.fromkeys(names, words), config=config)
    job.log(words, x=words)
    job.log(f"\x1b[1m{TOKEN}\x1b[0m and Fused-Service-Token: {LEAKED}")
    house.upstream.job("leaking-error")
    until(lambda: len(house.owner("GET", "/api/jobs/leaking/logs").json()) == 2, "its lines")
    _, link = house.share("leaking", note=words)
    base = "/api/jobs/leaking"
    paths = [
        "/", "/jobs/leaking", "/api/jobs", base, f"{base}/logs", f"{base}/logs?format=ndjson",
        f"{base}/logs?format=text", f"{base}/events?timeout=0", f"{base}/events?timeout=0&format=batch",
        f"{base}/search?q=of", f"{base}/config",
        f"{base}/steps-config", f"{base}/shares", f"{base}/overview", "/server/v1/job/self", "/server/v1/logs/leaking",
        "/server/v1/run/by-id/leaking", "/api/jobs/leaking-error", "/api/jobs/leaking-error/logs", "/metrics",
        "/readyz",
    ]  # fmt: skip
    body = json.dumps({"detail": words}).encode()

    def fails(asked: Asked) -> None:
        """The second job's status and log are errors, with the words in them."""
        if asked.job == "leaking-error":
            house.upstream.fail(asked.route, "status", 1, code=500, body=body, headers={"x-detail": words})

    house.upstream.on_request = fails
    callers = {"owner": OWNER, "link": link, "stranger": {}}
    try:
        with beside("secrets") as owner, attack("looks_for_secrets", door=door, callers=callers) as attacker:
            wanted = {"requests": [("GET", path) for path in paths], "secrets": [LEAKED, TOKEN, UPSTREAM_TOKEN, KEY]}
            *found, read = attacker.say(json.dumps(wanted))
            owner.watches(1)
    finally:
        house.upstream.on_request = None
    assert found == [] and int(read.split()[1]) > 20_000, (found, read)
    assert not [secret for secret in (LEAKED, TOKEN, UPSTREAM_TOKEN, KEY) if secret in house.served.output]


# --- 10: the small ones


@by("way", ["haproxy"], indirect=True)
def test_invented_ids_leave_no_files_and_other_hosts_get_nothing(
    ground: Ground, beside: Watched, door: str
) -> None:
    house = ground.house
    jobs = house.served.data_dir / "jobs"
    before = len(list(jobs.glob("*.sqlite3*")))

    def down(asked: Asked) -> None:
        if asked.job.startswith("invented"):
            house.upstream.fail(asked.route, "status", 1, code=503)

    house.upstream.on_request = down
    options = {"door": door, "service": house.url, "headers": OWNER}
    try:
        with beside("invented ids") as owner, attack("invents", **options) as attacker:
            owner.watches(3)
    finally:
        house.upstream.on_request = None
    told = attacker.told
    assert sum(count for name, count in told.items() if name.startswith("id ")) >= 180, told
    assert told["host at the service 400"] >= 3, told
    assert {name for name in told if name.startswith("host")} <= {"host 400", "host at the service 400"}, told
    # Eight such jobs may stand open, since the upstream may come back and know them; a journal has three files.
    assert len(list(jobs.glob("*.sqlite3*"))) <= before + 3 * UNKNOWN_MOST
    for path in house.served.data_dir.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path

"""Services that die, disks that fail, journals that are damaged: what has been sent stays true, and it goes on."""

from __future__ import annotations

import contextlib
import json
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.paced import Paced
from tests.served import until
from tests.sse import EventStream, lines_of
from tests.upstream import Job, Upstream, now_ms
from tests.upstream import upstream as scripted
from webapp.journal.redact import Redactor
from webapp.store.sqlite.journals import SqliteJournals

ALL = "sample_logs=false&refresh_seconds=0.1&format=batch"


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with scripted() as server:
        yield server


@pytest.fixture
def services(upstream: Upstream, data_dir: Path) -> Iterator[Callable[[int], list[Paced]]]:
    running: list[Paced] = []

    def start(count: int) -> list[Paced]:
        settings = {"data_dir": data_dir, "upstream_url": upstream.url, "refresh_seconds": 0.1}
        running.extend(Paced(settings) for _ in range(count))
        for service in running:
            service.start()
        return running

    yield start
    for service in running:
        service.stop()


def stream_of(service: Paced, job: Job, last: str = "") -> EventStream:
    headers = {"Last-Event-ID": last} if last else {}
    return EventStream(f"{service.url}/api/jobs/{job.id}/events?{ALL}", headers=headers)


def read_lines(stream: EventStream, count: int) -> list[str]:
    found: list[str] = []
    for event in stream:
        found += [line["message"] for line in lines_of([event])]
        if len(found) >= count:
            return found
    raise AssertionError(f"the stream ended after {len(found)} of {count} lines")


def holder(data_dir: Path, job: Job) -> str:
    journals = SqliteJournals(data_dir, Redactor(()), beat_ms=100)
    try:
        return journals.open(job.id).state().holder
    finally:
        journals.close()


def test_two_services_on_one_folder_poll_once_and_one_takes_over_when_the_other_dies(
    upstream: Upstream, services: Callable[[int], list[Paced]], data_dir: Path
) -> None:
    job = upstream.job()
    job.lines(1, 10, now_ms())
    both = services(2)
    streams = {service: stream_of(service, job) for service in both}
    for stream in streams.values():
        assert read_lines(stream, 10) == [f"line {n}" for n in range(1, 11)]
    upstream.requests.clear()
    began = time.monotonic()
    until(lambda: upstream.requests["logs"] >= 10, "ten beats")
    assert sum(upstream.requests.values()) <= 2.5 * (time.monotonic() - began) / 0.1 + 5
    polls = next(service for service in both if holder(data_dir, job).startswith(f"{service.process.pid}-"))
    follows = next(service for service in both if service is not polls)
    polls.kill()
    job.lines(11, 20, now_ms())
    assert read_lines(streams[follows], 10) == [f"line {n}" for n in range(11, 21)]
    assert holder(data_dir, job).startswith(f"{follows.process.pid}-")
    polls.start()
    with stream_of(polls, job, streams[polls].last_id) as again:
        assert read_lines(again, 10) == [f"line {n}" for n in range(11, 21)]
    job.finish()
    assert streams[follows].until("done")[-1].data["complete"] is True


def test_a_service_that_is_stopped_for_longer_than_its_lease_and_goes_on_doubles_nothing(
    upstream: Upstream, services: Callable[[int], list[Paced]], data_dir: Path
) -> None:
    job = upstream.job()
    job.lines(1, 10, now_ms())
    both = services(2)
    streams = {service: stream_of(service, job) for service in both}
    for stream in streams.values():
        assert read_lines(stream, 10) == [f"line {n}" for n in range(1, 11)]
    for turn in range(1, 3):
        polls = next(service for service in both if holder(data_dir, job).startswith(f"{service.process.pid}-"))
        follows = next(service for service in both if service is not polls)
        polls.process.send_signal(signal.SIGSTOP)
        job.lines(turn * 10 + 1, turn * 10 + 10, now_ms())
        assert read_lines(streams[follows], 10) == [f"line {n}" for n in range(turn * 10 + 1, turn * 10 + 11)]
        polls.process.send_signal(signal.SIGCONT)
        assert read_lines(streams[polls], 10) == [f"line {n}" for n in range(turn * 10 + 1, turn * 10 + 11)]
    job.finish()
    for stream in streams.values():
        done = stream.until("done")[-1].data
        assert (done["complete"], done["lines"]) == (True, 30)


def test_a_stop_tells_viewers_and_hands_the_job_over_at_once(
    upstream: Upstream, services: Callable[[int], list[Paced]], data_dir: Path
) -> None:
    job = upstream.job()
    job.lines(1, 3, now_ms())
    service = services(1)[0]
    with stream_of(service, job) as stream:
        read_lines(stream, 3)
        service.stop()
        assert stream.until("bye")[-1].name == "bye"
    assert holder(data_dir, job) == ""


APPENDS = """
import sys
from pathlib import Path
from webapp.store.sqlite.journal import SqliteJournal
from webapp.journal.line import Entry
from webapp.journal.redact import Redactor
journal = SqliteJournal(Path(sys.argv[1]), "job-1", Redactor(()), 1000)
writer = journal.claim(5, take_over=True)
n = journal.state().last_line
while True:
    size = 1 + n * 7 % 400
    writer.append([Entry(k, f"line {k}", None, k) for k in range(n + 1, n + size + 1)])
    n += size
    print(n, flush=True)
"""


def test_what_was_committed_survives_a_kill_at_any_moment(tmp_path: Path) -> None:
    path = tmp_path / "job.sqlite3"
    for turn in range(4):
        process = subprocess.Popen([sys.executable, "-c", APPENDS, str(path)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        said = [int(process.stdout.readline()) for _ in range(3 + 11 * turn)]
        process.kill()
        said += [int(line) for line in process.stdout if line.endswith("\n")]
        process.wait()
        journals = SqliteJournals(tmp_path / "unused", Redactor(()), beat_ms=1000)
        journals.close()
        from webapp.store.sqlite.journal import SqliteJournal

        journal = SqliteJournal(path, "job-1", Redactor(()), 1000)
        lines = [json.loads(line) for batch in journal.read(0, most_bytes=1 << 40) for line in batch.split()]
        seen = journal.seen(0, 1 << 40)
        assert [line["line"] for line in lines] == list(range(1, len(lines) + 1))
        assert len(lines) == journal.state().last_line >= said[-1]
        assert len(seen) == len(lines)
        journal.close()


def test_a_damaged_journal_is_set_aside_and_begun_anew(
    upstream: Upstream, services: Callable[[int], list[Paced]], data_dir: Path
) -> None:
    job = upstream.job()
    job.lines(1, 300, now_ms())
    service = services(1)[0]
    with stream_of(service, job) as stream:
        read_lines(stream, 300)
        last = stream.last_id
    service.kill()
    for path in (data_dir / "jobs").glob("*.sqlite3*"):
        path.write_bytes(b"this is no database" * 4096)
    service.start()
    job.lines(301, 310, now_ms())
    job.finish()
    with stream_of(service, job, last) as stream:
        found = stream.until("done")
    assert "reset" in [event.name for event in found]
    assert [line["message"] for line in lines_of(found)] == [f"line {n}" for n in range(1, 311)]
    assert list((data_dir / "jobs").glob("*.damaged-*"))
    assert "damaged" in service.output


@contextlib.contextmanager
def full(service: Paced, data_dir: Path) -> Iterator[None]:
    """No file of the service may grow, as on a disk that is full."""
    pid = service.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, before[1]))
    yield
    resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


@contextlib.contextmanager
def read_only(service: Paced, data_dir: Path) -> Iterator[None]:
    """The kernel refuses every write to the journals, as on a disk that it has put to read-only."""
    files = [str(path) for path in (data_dir / "jobs").glob("*.sqlite3*")]
    subprocess.run(["chattr", "+i", *files], check=True)
    yield
    subprocess.run(["chattr", "-i", *files], check=True)


def chattr_works(folder: Path) -> bool:
    """It takes root, and a file system that knows of it."""
    probe = folder / "probe"
    probe.touch()
    done = shutil.which("chattr") and subprocess.run(["chattr", "+i", str(probe)], capture_output=True).returncode == 0
    return bool(done) and subprocess.run(["chattr", "-i", str(probe)]).returncode == 0


@pytest.mark.parametrize("failing", [full, read_only])
def test_a_disk_that_fails_is_said_and_what_is_there_is_served_until_it_goes_on(
    upstream: Upstream,
    services: Callable[[int], list[Paced]],
    data_dir: Path,
    failing: Callable[[Paced, Path], contextlib.AbstractContextManager[None]],
    tmp_path: Path,
) -> None:
    if failing is full and not hasattr(resource, "prlimit"):
        pytest.skip("needs prlimit")
    if failing is read_only and not chattr_works(tmp_path):
        pytest.skip("needs root and a file system with immutable files")
    job = upstream.job()
    job.lines(1, 100, now_ms())
    service = services(1)[0]
    with stream_of(service, job) as stream:
        read_lines(stream, 100)
        with failing(service, data_dir):
            job.add(*({"timestamp": now_ms(), "message": f"line {n}"} for n in range(101, 201)))
            until(lambda: "job-1: " in service.output, "the service to say what is wrong")
            assert "disk" in service.output
            answer = service.get(f"/api/jobs/{job.id}/logs?format=json&limit=1000")
            assert answer.status_code == 200 and len(answer.json()) == 100
            with stream_of(service, job) as other:
                state = other.until("upstream")[-1].data
                assert state["state"] == "retrying" and "journal" in state["detail"]
                assert len(read_lines(other, 100)) == 100
            assert service.process.poll() is None
        assert read_lines(stream, 100) == [f"line {n}" for n in range(101, 201)]
        job.finish()
        assert stream.until("done")[-1].data["complete"] is True

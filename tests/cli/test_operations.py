"""`doctor`, `backup` and `journal`: what is looked at where the service's data is."""

from __future__ import annotations

import json
import os
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ..served import Served, jobtail
from ..upstream import Fault, Upstream


def ids(served: Served, job: str) -> list[str]:
    return [line["id"] for line in served.get(f"/api/jobs/{job}/logs").json()]


def test_a_backup_that_was_taken_while_it_runs_restores_to_what_it_was(
    serve: Callable[..., Served], tmp_path: Path
) -> None:
    first = serve()
    job = first.run("sh", "-c", "echo one; echo two", name="kept")
    before = ids(first, job)
    file = tmp_path / "backup.tar"
    done = jobtail("backup", str(file), settings={"data_dir": first.data_dir})
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert jobtail("backup", str(file), settings={"data_dir": first.data_dir}).returncode == 2
    later = first.run("echo", "after the backup")
    first.stop()

    restored = tmp_path / "restored"
    restored.mkdir()
    with tarfile.open(file) as archive:
        archive.extractall(restored, filter="data")
    second = Served({"data_dir": restored}).start()
    try:
        lines = second.get(f"/api/jobs/{job}/logs").json()
        assert [(line["line"], line["message"]) for line in lines] == [(1, "one"), (2, "two")]
        assert not {line["id"] for line in lines} & set(before)
        assert second.get(f"/api/jobs/{job}").json()["job_name"] == "kept"
        assert second.get(f"/api/jobs/{later}").status_code == 404
    finally:
        second.stop()


def test_a_backup_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    done = jobtail("backup", str(tmp_path / "none" / "b.tar"), settings={"data_dir": tmp_path / "data"})
    assert done.returncode != 0 and "can't be written" in done.stderr and "Traceback" not in done.stderr
    assert not list(tmp_path.glob("*.tar*"))


def test_journals_are_listed_checked_and_pruned(serve: Callable[..., Served]) -> None:
    served = serve()
    job = served.run("sh", "-c", "seq 1000")
    where = {"data_dir": served.data_dir}
    (held,) = json.loads(jobtail("journal", "--json", settings=where).stdout)
    assert held["job"] == job and held["lines"] == 1000 and held["bytes"] > 0 and held["finished"]
    assert job in jobtail("journal", settings=where).stdout
    done = jobtail("journal", "verify", settings=where)
    assert (done.returncode, done.stdout) == (0, "") and "every journal is whole" in done.stderr
    done = jobtail("journal", "prune", settings=where)
    assert "0 journals were forgotten" in done.stderr
    served.stop()
    (file,) = (served.data_dir / "jobs").glob("*.sqlite3")
    data = bytearray(file.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4096] = os.urandom(4096)
    file.write_bytes(data)
    done = jobtail("journal", "verify", settings=where)
    assert done.returncode == 1 and done.stdout and "Traceback" not in done.stderr


def findings(*arguments: str, **settings: object) -> dict[str, dict[str, str]]:
    done = jobtail("doctor", "--json", *arguments, settings=settings)
    assert "Traceback" not in done.stderr
    return {each["what"]: each for each in json.loads(done.stdout)}


def test_doctor_finds_nothing_where_all_is_well(serve: Callable[..., Served]) -> None:
    served = serve(access_token="a-long-enough-access-token")
    found = findings("--url", served.url, data_dir=served.data_dir, access_token="a-long-enough-access-token")
    assert {each["state"] for each in found.values()} == {"ok"}, found
    assert "environment" in found["JOBTAIL_DATA_DIR"]["found"]
    assert "a-long-enough" not in json.dumps(found)


def test_doctor_says_what_is_wrong_and_what_to_do(tmp_path: Path, upstream: Upstream) -> None:
    upstream.always["list"] = Fault("status", 401)
    found = findings(
        "--url", "http://127.0.0.1:9", data_dir=tmp_path / "data", upstream_url=upstream.url, access_token="short"
    )
    assert found["upstream"]["state"] == "bad" and found["access"]["state"] == "look"
    assert found["service"]["state"] == "look" and "jobtail serve" in found["service"]["do"]
    done = jobtail("doctor", settings={"port": "x"})
    assert done.returncode == 1 and "JOBTAIL_PORT holds 'x'" in done.stdout


def test_doctor_says_that_a_proxy_is_not_trusted(serve: Callable[..., Served]) -> None:
    served = serve(access_token="a-long-enough-access-token")
    headers = {
        "Authorization": "Bearer a-long-enough-access-token", "X-Forwarded-For": "192.0.2.1", "Host": "logs.example",
    }  # fmt: skip
    seen = served.get("/api/seen", headers=headers).json()
    assert seen["forwarded"] and not seen["trusted"] and seen["base"] == "http://logs.example"


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give a folder away")
def test_doctor_finds_a_folder_of_another_user(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    os.chown(folder, 12345, 12345)
    assert "another user" in findings(data_dir=folder)["rights"]["found"]


def test_commands_that_need_no_service_have_help() -> None:
    for name in ("doctor", "backup", "journal"):
        assert "Examples:" in jobtail(name, "--help").stdout

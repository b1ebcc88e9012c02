from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from pathlib import Path

import yaml
from prometheus_client.parser import text_string_to_metric_families

from webapp.counts import COUNTED
from webapp.threads import POOLS, Pool
from webapp.web.metrics import MEASURED

from ..served import Served, until
from ..sse import EventStream
from ..upstream import Upstream

DOCS = Path(__file__).parent.parent.parent / "docs"
NAMES = {f"jobtail_{name}" for name in (*COUNTED, *MEASURED)}


def values(text: str) -> dict[str, float]:
    """The sums over all labels."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, 0) + sample.value
    return found


def test_every_metric_is_there_from_the_start_and_counts(serve: Callable[..., Served], upstream: Upstream) -> None:
    served = serve(upstream_url=upstream.url, refresh_seconds=0.1)
    assert set(values(served.get("/metrics").text)) >= NAMES
    job = upstream.job("job-1")
    for number in range(20):
        job.log(f"line {number}")
    with EventStream(f"{served.url}/api/jobs/job-1/events?sample_logs=false") as stream:
        for event in stream:
            if event.id and event.id.endswith("-20"):
                break
        now = values(served.get("/metrics").text)
        assert now["jobtail_viewers"] == 1 and now["jobtail_jobs_followed"] == 1
    assert now["jobtail_lines_in_total"] == 20 and now["jobtail_lines_out_total"] == 20
    assert now["jobtail_upstream_requests_total"] >= 2 and now["jobtail_lease_changes_total"] == 1
    assert now["jobtail_journal_bytes"] > 0 and now["jobtail_disk_free_bytes"] > 0
    assert now["process_resident_memory_bytes"] > 0
    until(lambda: values(served.get("/metrics").text)["jobtail_viewers"] == 0, "the viewer to be gone")


def test_every_pool_of_threads_is_measured(serve: Callable[..., Served], upstream: Upstream) -> None:
    text = serve(upstream_url=upstream.url).get("/metrics").text
    found = set(re.findall(r'jobtail_limiter_tasks\{limiter="([^"]+)",state="(\w+)"', text))
    names = {pool.purpose for pool in POOLS} | {"reports", "upstream requests", "slow upstream requests"}
    names |= {"polling", "polling of a disk that hangs"}
    assert found == {(name, state) for name in names for state in ("running", "waiting")}


def test_a_pool_tells_what_runs_and_what_waits() -> None:
    pool, busy = Pool("test", 2), threading.Event()
    try:
        works = [pool.submit(busy.wait) for _ in range(5)]
        until(lambda: pool.load == (2, 3), "two to run")
        assert works[-1].cancel() and pool.load == (2, 2)
    finally:
        busy.set()
        pool.close()
    assert pool.load == (0, 0)


def test_only_owners_and_the_token_for_metrics_read_them(serve: Callable[..., Served]) -> None:
    served = serve(access_token="owner-token-1", metrics_token="metrics-token-1")

    def status(path: str, token: str) -> int:
        return served.get(path, headers={"Authorization": f"Bearer {token}"} if token else {}).status_code

    tokens = ("owner-token-1", "metrics-token-1", "wrong", "")
    assert [status("/metrics", token) for token in tokens] == [200, 200, 401, 401]
    assert status("/api/jobs", "metrics-token-1") == 401
    assert status("/api/jobs/some-job/logs", "metrics-token-1") == 401


def test_workers_are_told_apart(serve: Callable[..., Served]) -> None:
    served = serve(workers=2)

    def workers() -> set[str]:
        return set(re.findall(r'jobtail_up\{worker="(\d)"\} 1\.0', served.get("/metrics").text))

    until(lambda: workers() == {"0", "1"}, "both workers to be seen")


def test_the_dashboard_and_the_alerts_name_metrics_that_exist() -> None:
    for name in ("grafana.json", "alerts.yaml"):
        text = (DOCS / name).read_text(encoding="utf-8")
        named = set(re.findall(r"\bjobtail_[a-z_]+", text))
        assert named and named <= NAMES, named - NAMES
    panels = json.loads((DOCS / "grafana.json").read_text(encoding="utf-8"))["panels"]
    assert all(panel["targets"] for panel in panels if panel["type"] != "row")
    rules = yaml.safe_load((DOCS / "alerts.yaml").read_text(encoding="utf-8"))["groups"][0]["rules"]
    assert all({"alert", "expr", "annotations"} <= set(rule) for rule in rules)


def test_every_metric_is_documented() -> None:
    text = (DOCS / "operations.md").read_text(encoding="utf-8")
    assert {name for name in NAMES if f"`{name}`" not in text} == set()


def test_a_request_is_logged_once_without_its_query_or_a_link(serve: Callable[..., Served]) -> None:
    served = serve(access_token="owner-token-1", log_format="json")
    secret = "owner-token-1"
    headers = {"Authorization": f"Bearer {secret}", "X-Request-ID": "from-the-proxy.1"}
    answer = served.get("/api/jobs?n=3&q=what-is-looked-for", headers=headers)
    assert answer.headers["X-Request-ID"] == "from-the-proxy.1"
    made = served.get(f"/s/{'x' * 60}", headers={"X-Request-ID": "not one, since it has blanks"})
    assert re.fullmatch("[0-9a-f]{16}", made.headers["X-Request-ID"])
    served.get("/healthz")
    served.stop()
    entries = [json.loads(line) for line in served.output.splitlines() if line.startswith("{")]
    requests = [entry for entry in entries if entry["logger"] == "jobtail.request"]
    assert [(entry["method"], entry["path"], entry["status"]) for entry in requests] == [
        ("GET", "/api/jobs", 200), ("GET", "/s/***", made.status_code),
    ]  # fmt: skip
    assert requests[0]["who"] == "the access token" and requests[0]["request_id"] == "from-the-proxy.1"
    assert requests[0]["ms"] >= 0 and requests[0]["address"] == "127.0.0.1"
    for told in (secret, "what-is-looked-for", "x" * 60):
        assert told not in served.output


def test_a_quieter_log_says_less(serve: Callable[..., Served]) -> None:
    served = serve(log_level="warning")
    served.get("/api/jobs")
    served.stop()
    assert "request" not in served.output

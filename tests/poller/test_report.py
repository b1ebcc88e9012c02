from __future__ import annotations

from webapp.poller.report import UpstreamReport


def test_a_state_is_told_when_it_changes_and_knows_since_when() -> None:
    report = UpstreamReport(loading_every=0.5)
    assert report.loading(0, now=10) == {"state": "loading", "since": 10_000, "lines": 0}
    assert report.loading(5, now=10.1) is None
    assert report.loading(9, now=10.6) == {"state": "loading", "since": 10_000, "lines": 9}
    assert report.ok(now=11) == {"state": "ok", "since": 11_000}
    assert report.ok(now=12) is None
    first = report.retrying(1, 0.44, "it failed", now=13)
    assert first == {
        "state": "retrying", "since": 13_000, "attempt": 1, "retry_in_seconds": 0.4, "detail": "it failed",
    }  # fmt: skip
    second = report.retrying(2, 1.0, "it failed", now=14)
    assert second is not None and second["since"] == 13_000 and second["attempt"] == 2
    assert report.ok(now=15) == {"state": "ok", "since": 15_000}


def test_another_process_goes_on_where_the_last_one_was() -> None:
    report = UpstreamReport(0.5)
    report.resume({"state": "ok", "since": 5})
    assert report.ok(now=100) is None

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from webapp.errors import JobNotFound, JobtailError, UpstreamDenied, UpstreamDown, UpstreamError
from webapp.source.refusal import date_ms, message, refusal, retry_after


def refused(
    status: int, body: bytes = b"", headers: dict[str, str] | None = None, job: str | None = "job-1"
) -> JobtailError:
    return refusal(
        status, headers or {}, body, what="status", job=job, blank=lambda text: text.replace("secret", "***")
    )


@pytest.mark.parametrize(
    ("status", "wanted"),
    [
        (301, UpstreamError), (400, UpstreamError), (401, UpstreamDenied), (403, UpstreamDenied), (404, JobNotFound),
        (408, UpstreamDown), (422, UpstreamError), (425, UpstreamDown), (429, UpstreamDown), (500, UpstreamDown),
        (503, UpstreamDown), (599, UpstreamDown),
    ],
)  # fmt: skip
def test_a_status_is_an_error_of_ours(status: int, wanted: type[JobtailError]) -> None:
    assert type(refused(status)) is wanted


def test_without_a_job_nothing_is_not_found() -> None:
    assert type(refused(404, job=None)) is UpstreamError


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (b'{"message": "no such thing"}', "no such thing"),
        (b'{"detail": "no\\nsuch\\u0000 thing"}', "no such  thing"),
        (b'{"detail": [{"msg": "too long", "loc": ["x"]}, "and wrong"]}', "too long; and wrong"),
        (b'{"message": {"a": 1}}', ""),
        (b"[1]", ""),
        (b"<html>", ""),
        (b"", ""),
    ],
)
def test_what_the_upstream_says_of_its_error(body: bytes, wanted: str) -> None:
    assert message(body) == wanted


def test_its_text_is_bounded_and_without_credentials() -> None:
    error = refused(500, b'{"message": "secret ' + b"x" * 5000 + b'"}')
    assert "secret" not in error.detail and "*** xxx" in error.detail
    assert len(error.detail) < 600


def test_when_to_come_back() -> None:
    now = time.time()
    assert retry_after("3") == 3.0
    assert retry_after("0.5") == 0.5
    assert retry_after(formatdate(now + 10, usegmt=True)) == pytest.approx(10, abs=1.5)
    # A date is read by the clock of whoever wrote it.
    assert retry_after(formatdate(now - 7190, usegmt=True), int((now - 7200) * 1000)) == pytest.approx(10, abs=1.5)
    assert retry_after("-5") == retry_after(formatdate(now - 10, usegmt=True)) == 0.0
    for nothing in (None, "", "soon", "nan", "inf", "1e9", "9" * 20):
        assert retry_after(nothing) is None


def test_a_date_header_is_ms() -> None:
    assert date_ms("Tue, 14 Nov 2023 22:13:20 GMT") == 1_700_000_000_000
    assert date_ms("yesterday") is date_ms(None) is date_ms("") is None

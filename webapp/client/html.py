"""What a notebook shows of a job and of a list of jobs: small, escaped, with the link to the live page."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from ..models import JobRecord, RunStatus
from ..states import state_of

_COLOURS = {"done": "#1a7f37", "failed": "#cf222e", "canceled": "#9a6700", "stopping": "#9a6700"}
_CELL = "padding:2px 10px;text-align:left"


def run_html(run: RunStatus, link: str) -> str:
    """Name, status, tasks and the link to follow it."""
    style = state_of(run.job_status, run.finished, run.status).style
    state = run.job_status or run.status or "unknown"
    name = run.job_name or run.job_id
    progress = ""
    if run.total_tasks > 0:
        done, total = run.finished_tasks, run.total_tasks
        progress = f' <progress max="{total}" value="{done}"></progress> {done:,} of {total:,} tasks'
    return (
        f'<div style="font-family:sans-serif">{_link(link, name)} {_state(state, style)}{progress}'
        f"<br><code>{escape(run.job_id)}</code>{' · running' if not run.finished else ''}</div>"
    )


def jobs_html(jobs: Iterable[tuple[JobRecord, str]]) -> str:
    """A table of jobs, each with the link to its live page."""
    rows = "".join(_row(job, link) for job, link in jobs)
    if not rows:
        return '<div style="font-family:sans-serif">No jobs</div>'
    head = "".join(f'<th style="{_CELL}">{title}</th>' for title in ("Job", "Status", "Started"))
    return f'<table style="font-family:sans-serif"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _row(job: JobRecord, link: str) -> str:
    started = f"{job.creation_date:%Y-%m-%d %H:%M:%S}" if job.creation_date else ""
    name = getattr(job, "job_name", None) or job.id
    state = _state(job.job_status or "unknown", state_of(job.job_status, finished=False).style)
    cells = (_link(link, str(name)), state, escape(started))
    return "<tr>" + "".join(f'<td style="{_CELL}">{cell}</td>' for cell in cells) + "</tr>"


def _link(link: str, text: str) -> str:
    return f'<a href="{escape(link)}" target="_blank" rel="noopener">{escape(text)}</a>'


def _state(state: str, style: str) -> str:
    colour = _COLOURS.get(style, "#0969da")
    return f'<b style="color:{colour}">{escape(state)}</b>'

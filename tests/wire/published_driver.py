"""Runs in the published client's environment: takes steps as JSON, does them with that client, prints what came."""

import contextlib
import io
import json
import sys
import time


def main(base_url):
    import fused
    from fused.api import FusedAPI
    from fused.models.internal.job import JobResponse, Jobs, RunResponse

    fused.options.base_url = base_url
    api = FusedAPI(base_url=base_url)
    held = {}

    def plain(value):
        if isinstance(value, (RunResponse, JobResponse, Jobs)) or hasattr(value, "model_dump"):
            return json.loads(value.model_dump_json())
        if hasattr(value, "total_seconds"):
            return value.total_seconds()
        return value

    def run(job):
        if job not in held:
            held[job] = api.get_status(job)
        return held[job]

    def print_logs(job, since_ms=None):
        out = io.StringIO()
        run(job).print_logs(since_ms=since_ms, file=out)
        return out.getvalue()

    def refresh(n):
        jobs = api.get_jobs(n)
        before = len(jobs.jobs)
        same = jobs.refresh() is jobs
        return {"same": same, "before": before, "jobs": plain(jobs)["jobs"]}

    def refresh_status(job):
        mine = run(job)
        return plain(mine.refresh_status())

    def until_line(job, text):
        """Waits until the log holds this text, as somebody who looks again and again."""
        while not any(text in entry["message"] for entry in api.get_logs(job)):
            time.sleep(0.05)

    steps = {
        "get_jobs": lambda *a, **k: plain(api.get_jobs(*a, **k)),
        "get_status": lambda job: plain(api.get_status(job)),
        "get_logs": lambda job, since_ms=None: api.get_logs(job, since_ms=since_ms),
        "run_get_logs": lambda job, since_ms=None: run(job).get_logs(since_ms),
        "print_logs": print_logs,
        "get_exec_time": lambda job: plain(run(job).get_exec_time()),
        "tail_logs": lambda job, **how: run(job).tail_logs(**how),
        "wait_for_job": lambda job, **how: plain(run(job).wait_for_job(**how)),
        "cancel_job": lambda job: plain(api.cancel_job(job)),
        "cancel": lambda job: plain(run(job).cancel()),
        "get_job_config": lambda job: plain(api.get_job_config(job)),
        "refresh": refresh,
        "refresh_status": refresh_status,
        "until_line": until_line,
    }
    outcomes = []
    for name, arguments, how in json.load(sys.stdin):
        printed = io.StringIO()
        outcome = {"result": None, "error": None}
        with contextlib.redirect_stdout(printed):
            try:
                outcome["result"] = steps[name](*arguments, **how)
            except Exception as error:
                outcome["error"] = [type(error).__name__, str(error)]
        outcome["printed"] = printed.getvalue()
        outcomes.append(outcome)
    print("\x1e" + json.dumps(outcomes, default=str))


main(sys.argv[1])

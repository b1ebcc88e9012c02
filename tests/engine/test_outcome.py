from __future__ import annotations

import pytest

from webapp.engine.outcome import Cause, Outcome, outcome


@pytest.mark.parametrize(
    ("returncode", "cause", "expected"),
    [
        (0, None, Outcome("Done", 0, "", 0)),
        (3, None, Outcome("Failed", 3, "exit code 3", 3)),
        (-9, None, Outcome("Failed", 137, "killed by SIGKILL", 137)),
        (-15, Cause.CANCEL, Outcome("Canceled", 143, "cancelled by ada", 143)),
        (0, Cause.CANCEL, Outcome("Canceled", 0, "cancelled by ada", 0)),
        (-15, Cause.TIMEOUT, Outcome("Failed", 143, "timed out after 1.5 s", 124)),
        (-50, None, Outcome("Failed", 178, "killed by signal 50", 178)),
    ],
)
def test_the_end_of_a_command_as_the_end_of_its_job(returncode: int, cause: Cause | None, expected: Outcome) -> None:
    assert outcome(returncode, cause, "ada", 1.5) == expected


def test_nobody_in_particular_may_cancel() -> None:
    assert outcome(-15, Cause.CANCEL).detail == "cancelled"

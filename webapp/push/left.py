"""`jobtail push`: sends what runners on this machine could not send before they ended."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..engine.lock import RunnerLock
from ..settings import Settings
from . import outbox
from .sender import Sender
from .spool import Spool


def push(settings: Settings, token: str, seconds: float, say: Callable[[str], None]) -> bool:
    """False where something is left. A job whose runner still lives is left to it."""
    whole = True
    for folder in outbox.left(settings.data_dir):
        lock = RunnerLock(settings.data_dir / outbox.FOLDER, folder.name)
        if not lock.take():
            say(f"{folder.name}: its runner, or another push, sends it")
            continue
        try:
            if folder.is_dir():  # or somebody has just sent it
                whole = _push(folder, token, seconds, say) and whole
        finally:
            lock.release()
    return whole


def _push(folder: Path, token: str, seconds: float, say: Callable[[str], None]) -> bool:
    letter, spool = outbox.read(folder), Spool(folder)
    if letter is None:
        say(f"{folder} holds nothing that can be read")
        return False
    spool.take_over()
    letter.epoch += 1  # what the runner itself may still have on the way is refused from now on
    outbox.write(folder, letter)
    if letter.end is None:
        letter.end = {"state": "Failed", "detail": "its runner was lost", "complete": False}
    sender = Sender(letter, spool, token, lambda message: say(f"{letter.job}: {message}"))
    waiting = spool.waiting
    sender.start()
    if sender.finish(seconds, lambda: False):
        outbox.remove(folder)
        say(f"{letter.url}/jobs/{letter.job}: {waiting} lines were left, and all are there")
        return True
    say(f"{letter.job}: {spool.waiting} lines stay in {folder}")
    return False

"""What becomes of a journal whose file turns out to be an older copy: it keeps its lines, under a new epoch.

Lines are there under the old epoch that this file knows nothing of, and their numbers will be given again. So every id
of what is kept changes: viewers that come with an old one get a `reset`, and no id ever stands for two lines.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3

from ...journal.batch import SEPARATOR
from ...journal.cursor import new_epoch
from .marks import Mark
from .schema import first_token
from .state import one

log = logging.getLogger("jobtail.store")


def check(db: sqlite3.Connection, mark: Mark, job: str) -> None:
    """Renews the epoch where the file is an older copy, and marks a file that has no mark yet."""
    place = mark.place()
    if not place or not _strange(db, mark, place):
        return
    with contextlib.suppress(_ReadOnly):  # nothing can be added to it, so no number is given twice
        _begin(db)
        try:
            if _strange(db, mark, place):  # and no other process has seen to it in the meantime
                kept_place, revision = one(db, "place, revision")
                if kept_place:
                    log.warning("the journal of %s is an older copy of itself: it goes on under a new epoch", job)
                    _renew(db)
                revision = max(revision, mark.read() or 0) + 1
                # Before the commit: whoever opens the file just after it must find the mark there. Where none can be
                # kept, the journal does not say that it has one.
                marked = mark.write(revision)
                db.execute("UPDATE state SET place = ?, revision = ?", (place if marked else "", revision))
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise


class _ReadOnly(Exception):
    pass


def _begin(db: sqlite3.Connection) -> None:
    try:
        db.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_READONLY:
            raise _ReadOnly from error
        raise


def _strange(db: sqlite3.Connection, mark: Mark, place: str) -> bool:
    """The file is not the newest state of the journal that was written in this place, or has no mark yet."""
    revision, kept_place = one(db, "revision, place")
    marked = mark.read()
    return bool(kept_place != place or marked is None or revision < marked)


def _renew(db: sqlite3.Connection) -> None:
    epoch, token = one(db, "epoch, token")
    renewed = new_epoch()
    old, new = f'{{"id":"{epoch}-'.encode(), f'{{"id":"{renewed}-'.encode()
    firsts = [row[0] for row in db.execute("SELECT first FROM body ORDER BY first")]
    for first in firsts:
        (lines,) = db.execute("SELECT lines FROM body WHERE first = ?", (first,)).fetchone()
        renamed = SEPARATOR.join(new + line.removeprefix(old) for line in lines.split(SEPARATOR))
        db.execute("UPDATE body SET lines = ? WHERE first = ?", (renamed, first))
    db.execute(
        "UPDATE state SET epoch = ?, token = ?, held_for = 0, holder = ''", (renewed, max(token + 1, first_token()))
    )

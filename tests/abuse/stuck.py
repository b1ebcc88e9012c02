"""Holds the locks of some journals, as somebody does who was stopped in the middle of a commit: `python -m
tests.abuse.stuck FILE ...` says `held` once it has them all, and is to be stopped then."""

from __future__ import annotations

import sqlite3
import sys

if __name__ == "__main__":
    held = [sqlite3.connect(file, isolation_level=None, timeout=60) for file in sys.argv[1:]]
    for connection in held:
        connection.execute("BEGIN IMMEDIATE")
    print("held", flush=True)
    sys.stdin.read()

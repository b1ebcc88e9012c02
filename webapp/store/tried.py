"""Wrong tokens from one address, as all processes together have counted them."""

from __future__ import annotations

from dataclasses import dataclass

# A quarter of an hour after the last one all are forgiven.
FORGET_SECONDS = 900.0
# The addresses that failed last; more are not kept.
MOST = 4096


@dataclass(frozen=True, slots=True)
class Tried:
    """`age`: seconds since the last failure. `known`: the right token came from there before."""

    failures: int
    age: float
    known: bool

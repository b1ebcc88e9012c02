"""The data of the `upstream` event: how it stands with the upstream, given at every change. Pure."""

from __future__ import annotations

from typing import Any

State = dict[str, Any]


class UpstreamReport:
    """Each method gives the new state, or None where nothing has changed. Times: `now` in seconds of the wall clock."""

    def __init__(self, loading_every: float) -> None:
        self._every = loading_every
        self._state: State = {}
        self._given_at = 0.0

    def resume(self, state: State | None) -> None:
        """What the journal says already."""
        self._state = dict(state or {})

    def ok(self, now: float) -> State | None:
        return None if self._state.get("state") == "ok" else self._new("ok", now, {})

    def loading(self, lines: int, now: float) -> State | None:
        """`lines` so far; given once a while."""
        if self._state.get("state") == "loading" and 0 <= now - self._given_at < self._every:
            return None
        self._given_at = now
        return self._new("loading", now, {"lines": lines})

    def retrying(self, attempt: int, seconds: float, detail: str, now: float) -> State | None:
        return self._new(
            "retrying", now, {"attempt": attempt, "retry_in_seconds": round(seconds, 1), "detail": detail[:600]}
        )

    def _new(self, name: str, now: float, more: State) -> State | None:
        same = self._state.get("state") == name
        state = {"state": name, "since": self._state["since"] if same else int(now * 1000), **more}
        if state == self._state:
            return None
        self._state = state
        return state

"""jobtail: the live log page for batch jobs that a team can share.

`from webapp import RunResponse, JobResponse, Jobs, connect` gives the objects of the Fused client over a jobtail
service; `run` and `Handler` report a job. They are loaded when first asked for, so that the command line starts at
once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .client import AsyncConnection, JobResponse, Jobs, RunResponse, connect
    from .push.python import Handler, run

__all__ = ["AsyncConnection", "Handler", "JobResponse", "Jobs", "RunResponse", "connect", "run"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name in ("Handler", "run"):
        from .push import python

        return getattr(python, name)
    if name in __all__:
        from . import client

        return getattr(client, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])

"""docs/python.md says what the code does."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from collections.abc import Callable

from webapp.client import Connection, RunResponse, errors

from ..served import Served
from ..wire.published import ROOT

DOCUMENT = (ROOT / "docs" / "python.md").read_text()


def test_its_programs_run(serve: Callable[..., Served]) -> None:
    served = serve()
    job = served.run("sh", "-c", "echo hello; echo ERROR oh")
    first, later, *_ = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    printed = run(re.sub(r'job\("[^"]*"\)', f'job("{job}")', first), served.url)
    assert printed.startswith("hello\nERROR oh\n") and printed.count("ERROR oh") == 2
    assert run(later, served.url) == "ERROR oh\nDone\n"


def run(code: str, url: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | {"JOBTAIL_URL": url},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_signature_in_the_document_is_the_codes() -> None:
    named = set()
    for name, parameters in re.findall(r"`\.?(\w+)\(([^`]*)\)`", DOCUMENT):
        owner = RunResponse if hasattr(RunResponse, name) and not parameters.startswith("job") else Connection
        method = getattr(owner, name, None)
        if method is None or parameters.startswith('"') or name in ("repr",):
            continue
        real = inspect.signature(method)
        bare = real.replace(
            parameters=[p.replace(annotation=p.empty) for p in real.parameters.values() if p.name != "self"],
            return_annotation=real.empty,
        )
        wanted, held = (re.sub(r"[\s'\"*]", "", text).replace(",,", ",") for text in (parameters, str(bare)[1:-1]))
        if wanted:
            assert held.startswith(wanted) or wanted == held, f"{name}: {parameters} is not {bare}"
        named.add(name)
    public = {
        name for name, member in vars(RunResponse.__mro__[1]).items() if inspect.isfunction(member) and name[0] != "_"
    }
    assert public - {"model_post_init"} <= named


def test_every_error_is_in_the_document() -> None:
    for name, kind in vars(errors).items():
        if inspect.isclass(kind) and issubclass(kind, Warning | errors.ClientError):
            assert f"`{name}`" in DOCUMENT, name

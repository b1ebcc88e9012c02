"""What a page loads stays small: it is read on phones, over links that are slow."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest

from webapp.settings import assets
from webapp.web.lean import lean

MOST = 40 << 10  # bytes, as they travel: each file compressed by itself with brotli, as a proxy does
COMPRESS = """
import { readFileSync } from "node:fs";
import { brotliCompressSync } from "node:zlib";
console.log(JSON.stringify(JSON.parse(readFileSync(0)).map((text) => brotliCompressSync(text).length)));
"""


def travels(names: list[str]) -> dict[str, int]:
    """The bytes of each file. Python has no brotli, node has."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not here, which has brotli")
    texts = [(assets("static") / name).read_text() for name in names]
    texts = [lean(text) if name.endswith(".js") else text for name, text in zip(names, texts, strict=True)]
    command = [node, "--input-type=module", "-e", COMPRESS]
    answer = subprocess.run(command, check=True, capture_output=True, input=json.dumps(texts), text=True).stdout
    return dict(zip(names, json.loads(answer), strict=True))


def modules(name: str) -> set[str]:
    """The module and all that it imports when it is loaded."""
    found, wanted = set(), {name}
    while wanted:
        found |= wanted
        texts = [(assets("static") / one).read_text() for one in wanted]
        wanted = {other for text in texts for other in re.findall(r'from "\./([\w.]+)"', text)} - found
    return found


def imported_later(names: set[str]) -> set[str]:
    """Modules that these load only once somebody asks for what they do."""
    texts = [(assets("static") / one).read_text() for one in names]
    return {other for text in texts for other in re.findall(r'import\("\./([\w.]+)"\)', text)}


def test_the_log_page_loads_at_most_40_kb() -> None:
    loaded = modules("job.js") | {"page.css", "log.css", "favicon-running.svg"}
    assert {"viewer.js", "viewport.js", "terminal.js", "stream.js"} <= loaded
    sizes = travels(sorted(loaded))
    assert sum(sizes.values()) <= MOST, sizes


def test_no_module_is_left_over() -> None:
    used = set().union(*map(modules, ("job.js", "list.js", "share.js")))
    later = imported_later(used)
    assert {path.name for path in assets("static").glob("*.js")} == used.union(*map(modules, later))


def test_what_travels_of_a_module_is_its_code() -> None:
    assert lean('// a\n\n/** b\n * c */\nif (x) {\n\ty("// no comment"); // kept\n}\n') == (
        '\nif (x) {\ny("// no comment"); // kept\n}\n'
    )
    for path in assets("static").glob("*.js"):
        text = lean(path.read_text())
        assert not re.search(r"^\s*(//|/\*)", text, re.MULTILINE)
        for literal in re.findall(r"`[^`]*`", text):
            assert "\n" not in literal, path.name

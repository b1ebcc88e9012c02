"""What a page loads stays small: it is read on phones, and by whoever wants to change it."""

from __future__ import annotations

import re

from webapp.settings import assets

MOST = 60 << 10  # bytes, as they are written


def modules(name: str) -> set[str]:
    """The module and all that it imports."""
    found, wanted = set(), {name}
    while wanted:
        found |= wanted
        texts = [(assets("static") / one).read_text() for one in wanted]
        wanted = {other for text in texts for other in re.findall(r'from "\./([\w.]+)"', text)} - found
    return found


def test_the_log_page_loads_at_most_60_kb_of_javascript() -> None:
    loaded = modules("job.js")
    assert {"viewer.js", "viewport.js", "ansi.js", "stream.js"} <= loaded
    assert sum((assets("static") / name).stat().st_size for name in loaded) <= MOST


def test_no_module_is_left_over() -> None:
    pages = ("job.js", "list.js", "share.js")
    assert {path.name for path in assets("static").glob("*.js")} == set().union(*map(modules, pages))

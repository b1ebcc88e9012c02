"""What a page loads stays small: it is read on phones, over links that are slow."""

from __future__ import annotations

import re
from typing import Any

from webapp.settings import assets
from webapp.web.lean import lean, lean_style
from webapp.web.static import files, version

MOST = 40_000  # bytes, as they travel: each file compressed by itself


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
    return {other for text in texts for other in re.findall(r'import\(["`]\./([\w.]+?js)', text)}


def test_the_log_page_loads_at_most_40_kb() -> None:
    loaded = modules("job.js") | {"page.css", "log.css", "favicon-running.svg"}
    assert {"viewer.js", "viewport.js", "terminal.js", "stream.js"} <= loaded
    sizes = {name: len(files()[name].compressed) for name in loaded}
    assert sum(sizes.values()) <= MOST, sizes


def test_files_travel_compressed_and_are_kept_for_good_under_their_version(service: Any) -> None:
    page = service.get("/").text
    linked = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
    assert len(linked) >= 3
    for path in linked:
        assert path.startswith(f"/static/{version()}/")
        answer = service.get(path, headers={"accept-encoding": "gzip"})
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["vary"] == "Accept-Encoding"
    plain = service.get(f"/static/{version()}/job.js", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.headers["content-type"].startswith("text/javascript")
    old = service.get("/static/0123456789ab/job.js")
    assert old.content == plain.content
    assert old.headers["cache-control"] == "no-cache"
    assert service.get("/static/0123456789ab/job.js", headers={"if-none-match": old.headers["etag"]}).status_code == 304
    assert service.get("/static/nothing.js").status_code == 404
    assert service.get(f"/static/a/{version()}/job.js").status_code == 404


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


def test_what_travels_of_a_style_sheet_is_its_rules() -> None:
    sheet = '/* a */\n.b { color: red; } /* c */\n\n@media print {\n  .d::before { content: "x"; }\n}\n'
    assert lean_style(sheet) == '\n.b{color: red}\n@media print {\n.d::before{content: "x"}\n}\n'
    for path in assets("static").glob("*.css"):
        text = path.read_text()
        assert not any(mark in literal for literal in re.findall(r'"[^"]*"', text) for mark in ("/*", "; }", " { "))
        assert lean_style(text).count("{") == text.count("{")

"""Imports run one way, along the way of a line: a folder knows those below it and none above."""

import ast
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parent.parent / "webapp"

# From the bottom up; what stands in one row knows nothing of its neighbours.
LAYERS = [
    {"errors", "counts", "credentials", "decoding", "durations", "files", "states", "strictjson", "threads"},
    {"models", "settings"},
    {"journal"},
    {"store"},
    {"source"},
    {"poller", "engine"},
    {"stream", "access", "client"},
    {"service", "push"},
    {"web"},
    {"cli"},
    {"__main__"},
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
DISTRIBUTIONS = metadata.packages_distributions()
# httpx depends on the one, and the extra `psycopg[pool]` is the other.
BROUGHT = {"certifi", "psycopg-pool"}


def parts(path: Path) -> tuple[str, ...]:
    return path.relative_to(ROOT.parent).with_suffix("").parts


def imported(path: Path) -> set[str]:
    """The folders and files right under `webapp` that a module imports when it runs."""
    found: set[str] = set()
    package = parts(path)[:-1]
    tree = ast.parse(path.read_text())
    types_only = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or node in types_only:
            continue
        base = package[: len(package) - node.level + 1] if node.level else ()
        names = (*base, *(node.module or "").split(".")) if node.module else base
        if names[:1] != ("webapp",):
            continue
        found |= {names[1]} if len(names) > 1 else {alias.name for alias in node.names}
    return found


def test_every_part_has_its_place():
    modules = [path for path in ROOT.iterdir() if path.suffix in ("", ".py") and path.name[0] not in "._"]
    there = {path.stem for path in modules}
    assert there | {"__main__"} == set(RANK)


def test_imports_run_one_way():
    wrong = []
    for path in ROOT.rglob("*.py"):
        here = parts(path)[1]
        if here == "__init__":
            continue
        for name in imported(path) & set(RANK):
            if name != here and RANK[name] >= RANK[here]:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong, "\n".join(wrong)


def test_nothing_outside_the_store_knows_of_sqlite():
    knows = [
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*.py")
        if "sqlite" in path.read_text().lower() and parts(path)[1:3] != ("store", "sqlite")
    ]
    # The one that is told of the other, and the one place that chooses.
    assert sorted(knows) == ["store/base.py", "store/open.py"]


def test_the_service_imports_only_what_it_declares():
    """What only the tests install is missing where somebody installs the service."""
    held = tomllib.loads((ROOT.parent / "pyproject.toml").read_text())["project"]
    wanted = [*held["dependencies"], *held["optional-dependencies"]["postgres"]]
    declared = {canonical(re.split(r"[\[<>=]", one)[0]) for one in wanted} | BROUGHT
    wrong = []
    for path in ROOT.rglob("*.py"):
        for name in outside(path) - set(sys.stdlib_module_names) - {"webapp"}:
            if not {canonical(one) for one in DISTRIBUTIONS.get(name, [name])} & declared:
                wrong.append(f"{'.'.join(parts(path))} imports {name}")
    assert not wrong


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def outside(path: Path) -> set[str]:
    """The top-level names that a module imports absolutely, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found

"""Imports run one way, along the way of a line: a folder knows those below it and none above, and no two files know
each other. An import that only the type checker reads counts as any other."""

import ast
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parent.parent / "webapp"

# From the bottom up; what stands in one row knows nothing of its neighbours.
LAYERS = [
    {"errors", "counts", "credentials", "decoding", "durations", "files", "room", "setting_words", "states",
     "strictjson", "tasks", "threads"},
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


FILES = {parts(path): path for path in ROOT.rglob("*.py")}
PACKAGE = "__init__"


def imported(path: Path) -> set[tuple[str, ...]]:
    """The files of `webapp` that this one imports."""
    found: set[tuple[str, ...]] = set()
    package = parts(path)[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            base += tuple((node.module or "").split(".")) if node.module else ()
            found |= {file for alias in node.names if (file := file_of(base, alias.name))}
        elif isinstance(node, ast.Import):
            found |= {file for alias in node.names if (file := file_of(tuple(alias.name.split("."))))}
    return found - {parts(path)}


def file_of(base: tuple[str, ...], name: str = "") -> tuple[str, ...] | None:
    inner = (*base, name) if name else base
    return next((file for file in (inner, (*inner, PACKAGE), base, (*base, PACKAGE)) if file in FILES), None)


def circle(files: dict[tuple[str, ...], set[tuple[str, ...]]]) -> list[tuple[str, ...]]:
    """What is left when whatever imports nothing that is left has gone, again and again."""
    left = dict(files)
    while free := [file for file, wanted in left.items() if not wanted & left.keys()]:
        for file in free:
            del left[file]
    return sorted(left)


def test_every_part_has_its_place():
    modules = [path for path in ROOT.iterdir() if path.suffix in ("", ".py") and path.name[0] not in "._"]
    there = {path.stem for path in modules}
    assert there | {"__main__"} == set(RANK)


def test_imports_run_one_way():
    wrong = []
    for here, path in FILES.items():
        if here[1] == PACKAGE:
            continue
        for file in imported(path):
            name = file[1]
            if name != PACKAGE and name != here[1] and RANK[name] >= RANK[here[1]]:
                wrong.append(f"{'/'.join(here)} imports {'/'.join(file)}")
    assert not wrong, "\n".join(wrong)


def test_no_file_knows_one_that_knows_it():
    found = circle({here: imported(path) for here, path in FILES.items()})
    assert not found, "in or behind a circle: " + ", ".join(map("/".join, found))


def test_a_circle_is_found_however_long():
    a, b, c, d = (("a",), ("b",), ("c",), ("d",))
    assert circle({a: {b}, b: {c}, c: set(), d: {a}}) == []
    assert circle({a: {b}, b: {c}, c: {a}, d: set()}) == [a, b, c]


# The order within `stream`, from the bottom up.
STREAM = [
    {"events", "wire", "detached"},
    {"form"},
    {"step", "tail", "shown", "presence"},
    {"feed"},
    {"group"},
    {"viewer"},
    {"audience", "response"},
    {"upkeep"},
    {"channel", "keeping"},
    {"hub"},
]


def test_a_feed_knows_no_reader_and_a_group_no_viewer():
    rank = {name: number for number, names in enumerate(STREAM) for name in names}
    inside = {here: path for here, path in FILES.items() if here[1] == "stream" and here[-1] != PACKAGE}
    assert {here[2] for here in inside} == set(rank)
    for here, path in inside.items():
        for file in imported(path):
            if file[1] == "stream":
                assert rank[file[2]] < rank[here[2]], f"{here[2]} imports {file[2]}"


def test_every_task_and_every_pool_has_its_owner():
    """`Tasks` cancels its tasks and waits for them; a `Pool` is measured. asyncio's own pool is everybody's."""
    for word, owner in (
        ("create_task(", "tasks"), ("ensure_future(", "tasks"), ("ThreadPoolExecutor(", "threads"),
        ("asyncio.to_thread", ""), ("run_in_executor", ""),
    ):  # fmt: skip
        assert [path.stem for path in ROOT.rglob("*.py") if word in path.read_text()] == ([owner] if owner else [])
    anyio = [line for path in ROOT.rglob("*.py") for line in path.read_text().splitlines() if "to_thread.run" in line]
    assert all("limiter=" in line for line in anyio)


def test_nothing_outside_the_store_knows_of_sqlite():
    knows = [
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*.py")
        if "sqlite" in path.read_text().lower() and parts(path)[1:3] != ("store", "sqlite")
    ]
    # What people are told, the one that is told of the other, and the one place that chooses.
    assert sorted(knows) == ["setting_words.py", "store/base.py", "store/open.py"]


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


def test_every_name_is_used():
    """Not by tests alone. A library calls what is decorated, and what overrides a method of its own."""
    text = {path: path.read_text() for path in ROOT.rglob("*.py")}
    pages = [path.read_text() for path in (ROOT.parent / "templates").iterdir()]
    used = Counter(word for one in [*text.values(), *pages] for word in re.findall(r"\w+", one))
    dead = [f"{path}: {name}" for path, held in text.items() for name in own_names(ast.parse(held)) if used[name] < 2]
    assert not dead, "\n".join(dead)


def own_names(node: ast.AST) -> Iterator[str]:
    """What a module or a class defines."""
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, ast.Assign):
            yield from (name.id for name in inner.targets if isinstance(name, ast.Name))
        elif isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if not inner.decorator_list and not inner.name.startswith("__"):
                yield inner.name
            if isinstance(inner, ast.ClassDef) and not inner.bases:
                yield from own_names(inner)


MOST_ATTRIBUTES = 15


def test_no_class_holds_more_than_can_be_kept_in_mind():
    many = {
        f"{'/'.join(here[1:])}.{node.name}": found
        for here, path in FILES.items()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef) and len(found := attributes(node)) > MOST_ATTRIBUTES
    }
    assert not many


def attributes(node: ast.ClassDef) -> set[str]:
    """What a class sets on `self`."""
    return {
        one.attr
        for one in ast.walk(node)
        if isinstance(one, ast.Attribute) and isinstance(one.ctx, ast.Store)
        if isinstance(one.value, ast.Name) and one.value.id == "self"
    }


def test_each_class_name_means_one_thing():
    """The client's errors are called as those of the service that they come from."""
    where: dict[str, list[str]] = {}
    for here, path in FILES.items():
        if here[1:] != ("client", "errors"):
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.ClassDef):
                    where.setdefault(node.name, []).append("/".join(here[1:]))
    assert {name: files for name, files in where.items() if len(files) > 1} == {}

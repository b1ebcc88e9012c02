"""The job of `make demo`: looks for code that was written twice in Python's own library and in the packages beside it.

Real work on real files: every module is parsed, every function becomes a set of short sequences of syntax, and for
each function the most similar one elsewhere is looked for. Results go to standard output; how it goes, to standard
error.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import hashlib
import json
import logging
import sys
import sysconfig
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

log = logging.getLogger("lookalikes")
SHORT = 5  # lines; shorter functions look alike by chance
COMMON = 400  # functions; a sequence that more of them share says little
ALIKE = 0.8
SHOWN = 40  # pairs whose difference is shown


@dataclass
class Function:
    """`marks`: its sequences of syntax, as numbers. Names and texts play no part."""

    path: Path
    module: str
    name: str
    line: int
    length: int
    marks: frozenset[int]

    def __str__(self) -> str:
        return f"{self.module}:{self.line} {self.name}()"


@dataclass
class Findings:
    functions: list[Function] = field(default_factory=list)
    broken: int = 0
    lines: int = 0
    pairs: list[tuple[float, Function, Function]] = field(default_factory=list)


class Group:
    """A part of the log that a viewer can fold."""

    def __init__(self, title: str) -> None:
        self._title = title

    def __enter__(self) -> None:
        print(f"::group::{self._title}", flush=True)

    def __exit__(self, *error: object) -> None:
        print("::endgroup::", flush=True)


def progress(done: int, total: int, what: str) -> None:
    width = 32
    filled = width * done // max(1, total)
    end = "\n" if done >= total else ""
    sys.stderr.write(f"\r{what} [{'#' * filled}{'.' * (width - filled)}] {done}/{total}{end}")
    sys.stderr.flush()


def survey() -> list[tuple[str, list[Path]]]:
    """Each package or single module with its files, the library's first."""
    found: dict[str, list[Path]] = defaultdict(list)
    paths = sysconfig.get_paths()
    library = Path(paths["stdlib"])
    for root in dict.fromkeys((library, Path(paths["purelib"]), Path(paths["platlib"]))):
        for path in sorted(root.rglob("*.py")):
            parts = path.relative_to(root).parts
            if "site-packages" not in parts and "dist-packages" not in parts:
                found[parts[0].removesuffix(".py")].append(path)
    for name, files in sorted(found.items(), key=lambda item: -len(item[1]))[:15]:
        size = sum(file.stat().st_size for file in files)
        log.info("%-16s %5d files %9.1f kB", name, len(files), size / 1000)
    log.info("%d packages and modules, %d files", len(found), sum(map(len, found.values())))
    return list(found.items())


def marks(node: ast.AST) -> frozenset[int]:
    """Every sequence of five kinds of syntax, in the order of the text."""
    kinds = [type(part).__name__ for part in ast.walk(node)]
    windows = {tuple(kinds[start : start + 5]) for start in range(len(kinds) - 4)}
    return frozenset(
        int.from_bytes(hashlib.blake2b(repr(window).encode(), digest_size=6).digest()) for window in windows
    )


def functions_of(tree: ast.AST, path: Path, module: str) -> Iterator[Function]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length >= SHORT:
                yield Function(path, module, node.name, node.lineno, length, marks(node))


def parse(name: str, files: list[Path], found: Findings, until: float) -> None:
    before, begun = len(found.functions), time.perf_counter()
    for path in files:
        if time.monotonic() > until:
            return
        module = "/".join(path.parts[path.parts.index(name) :]) if name in path.parts else path.name
        try:
            text = path.read_bytes()
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                tree = ast.parse(text, str(path))
        except (SyntaxError, ValueError, OSError, RecursionError) as error:
            found.broken += 1
            log.error("%s can't be parsed: %s", module, str(error).split(" (")[0])
            continue
        for warning in caught:
            log.warning("%s: %s", module, warning.message)
        found.lines += text.count(b"\n")
        found.functions += functions_of(tree, path, module)
    count = len(found.functions) - before
    took = (time.perf_counter() - begun) * 1000
    log.debug("%s: %d files, %d functions, %.0f ms", name, len(files), count, took)
    if count >= 150:
        print(json.dumps({"level": "info", "event": "parsed", "package": name, "functions": count, "ms": round(took)}))


def compare(found: Findings, until: float) -> int:
    """How many functions were compared with all others before the time was up."""
    index: dict[int, list[int]] = defaultdict(list)
    for number, function in enumerate(found.functions):
        for mark in function.marks:
            index[mark].append(number)
    telling = {mark: numbers for mark, numbers in index.items() if 1 < len(numbers) <= COMMON}
    log.info("%d sequences of syntax, %d of them telling", len(index), len(telling))
    total = len(found.functions)
    for number, function in enumerate(found.functions):
        if time.monotonic() > until:
            log.warning("the time is up: %d of %d functions were not compared", total - number, total)
            return number
        best = nearest(number, function, found.functions, telling)
        if best is not None:
            found.pairs.append(best)
            print(f"{best[0]:.2f}  {best[1]}  ~  {best[2]}", flush=True)
        step = number % 500
        if step % 50 == 0:
            progress(step, 500, f"comparing {number - step:>6}")
        if step == 499 or number == total - 1:
            progress(500, 500, f"comparing {number - step:>6}")
    return total


def nearest(
    number: int, function: Function, functions: list[Function], telling: dict[int, list[int]]
) -> tuple[float, Function, Function] | None:
    shared: Counter[int] = Counter()
    for mark in function.marks:
        shared.update(telling.get(mark, ()))
    best: tuple[float, Function, Function] | None = None
    for other, _ in shared.most_common(100):
        if other <= number or functions[other].module == function.module:
            continue
        both = len(function.marks & functions[other].marks)
        alike = both / (len(function.marks) + len(functions[other].marks) - both)
        if alike >= ALIKE and (best is None or alike > best[0]):
            best = (alike, function, functions[other])
    return best


def differences(found: Findings, until: float) -> None:
    """The longest pairs, side by side as a patch shows them."""
    longest = sorted(found.pairs, key=lambda pair: -pair[0] * pair[1].length)[:SHOWN]
    for alike, one, other in longest:
        if time.monotonic() > until:
            log.warning("the time is up: not all differences are shown")
            return
        print(f"::group::{alike:.2f}  {one}  ~  {other}")
        for line in difflib.unified_diff(text_of(one), text_of(other), str(one), str(other), lineterm="", n=1):
            colour = {"+": "32", "-": "31", "@": "36"}.get(line[:1])
            print(f"\x1b[{colour}m{line}\x1b[0m" if colour else line)
        print("::endgroup::", flush=True)


def text_of(function: Function) -> list[str]:
    lines = function.path.read_text("utf-8", "replace").splitlines()
    return lines[function.line - 1 : function.line - 1 + function.length]


def report(found: Findings, compared: int, seconds: float) -> None:
    log.info("%d lines of Python in %.0f s, %d files could not be parsed", found.lines, seconds, found.broken)
    log.info("%d functions compared, %d look like another", compared, len(found.pairs))
    for alike, one, other in sorted(found.pairs, key=lambda pair: -pair[0] * pair[1].length)[:20]:
        print(f"{alike:.2f}  {one.length:>4} lines  {one}  ~  {other}")
    twice = sum(one.length for _, one, _ in found.pairs)
    summary = {"compared": compared, "alike": len(found.pairs), "lines_written_twice": twice}
    print(json.dumps({"level": "info", "event": "report", **summary}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=240, help="when to come to an end [240]")
    seconds = parser.parse_args().seconds
    logging.basicConfig(level=logging.DEBUG, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    begun, found = time.monotonic(), Findings()
    log.info("looking for code that was written twice in Python %s", sys.version.split()[0])
    with Group("Survey"):
        packages = survey()
    with Group("Parse"):
        for name, files in packages:
            parse(name, files, found, begun + seconds / 2)
        if time.monotonic() > begun + seconds / 2:
            log.warning("half of the time is up: not everything was parsed")
    with Group("Compare"):
        compared = compare(found, begun + seconds)
    differences(found, begun + seconds + 10)
    with Group("Report"):
        report(found, compared, time.monotonic() - begun)
    log.info("finished after %.0f s", time.monotonic() - begun)


if __name__ == "__main__":
    main()

"""What a terminal shows of lines: facts shared with the page (tests/vectors), and what holds for all lines."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webapp.journal.cells import columns
from webapp.journal.escapes import plain
from webapp.journal.item import Item
from webapp.journal.sgr import restyle
from webapp.journal.shorter import shorter
from webapp.journal.terminal import REACH, SPAN, Screen, read, shown

VECTORS = Path(__file__).parent.parent / "vectors"
REAL = Path(__file__).parent.parent / "fixtures" / "terminal"


def facts(name: str) -> list[Any]:
    found: list[Any] = json.loads((VECTORS / f"{name}.json").read_text())
    return found


def items(*messages: str, first: int = 1) -> list[Item]:
    screen = Screen()
    final = [item for number, message in enumerate(messages, first) for item in screen.feed(number, message)]
    return final + screen.items


@pytest.mark.parametrize(("message", "text"), facts("escapes"))
def test_whole_sequences_are_taken_out_and_nothing_else(message: str, text: str) -> None:
    assert plain(message) == text


@pytest.mark.parametrize(("style", "parameters", "after"), facts("sgr"))
def test_styles(style: str, parameters: str, after: str) -> None:
    assert restyle(style, parameters) == after
    assert restyle(after, "") == ""
    assert restyle("", after) == after


@pytest.mark.parametrize(("text", "found"), facts("cells"))
def test_columns(text: str, found: list[str]) -> None:
    assert columns(text) == found


@pytest.mark.parametrize("case", facts("terminal"), ids=lambda case: case["name"])
def test_a_terminal_shows(case: dict[str, Any]) -> None:
    screen = Screen()
    found: list[Item] = []
    for number, line in enumerate(case["lines"], case["first"]):
        given = {"message": line} if isinstance(line, str) else line
        found += screen.feed(number, **given)
    assert [
        {
            "line": item.line, "lines": item.lines, "states": item.states,
            "rows": [[list(span) for span in row] for row in item.rows], "text": item.text, "coloured": item.coloured,
        }
        for item in found + screen.items
    ] == case["items"]  # fmt: skip


@pytest.mark.parametrize("path", sorted(REAL.glob("*.raw")), ids=lambda path: path.stem)
def test_of_real_tools_it_shows_what_another_terminal_shows(path: Path) -> None:
    lines = path.read_bytes().decode().removesuffix("\n").split("\n")
    rows = [row.rstrip() for item in items(*lines) for row in item.text.split("\n")]
    assert "\n".join(rows).rstrip("\n") + "\n" == path.with_suffix(".txt").read_text()


def test_a_message_by_itself_shows_all_that_it_draws() -> None:
    assert shown("\x1b[8A\x1b[2K\rone: done\r\x1b[8B\x1b[1A\x1b[2K\rtwo: done\r\x1b[1B") == "one: done\ntwo: done\n"
    assert shown("10%\r100%") == "100%"
    assert shown("plain") == "plain"


def test_colours_for_a_terminal_end_with_each_row_and_move_nothing() -> None:
    item = read("\x1b[31mred\x1b]0;title\x07\x1b]8;;http://x\x07link\x1b[5n\a")
    assert item.coloured == "\x1b[31mred\x1b[0m\x1b[31mlink\x1b[0m"


def test_what_is_out_of_reach_is_final() -> None:
    rows = items(*[f"line {n}" for n in range(3 * REACH)], f"\x1b[{2 * REACH}A\x1b[2Ktop")
    assert [item.line for item in rows if item.text == "top"] == [2 * REACH + 1]
    assert len(rows) == 3 * REACH


def test_a_block_drawn_for_ever_is_held_once_and_begins_anew_at_every_span() -> None:
    messages = [("\x1b[4A" if n and n % 4 == 0 else "") + f"\x1b[2Krow {n % 4}: {n}" for n in range(2 * SPAN)]
    found = items(*messages)
    assert [item.line for item in found] == [*range(SPAN - 3, SPAN + 1), *range(2 * SPAN - 3, 2 * SPAN + 1)]
    assert found[-1].states == SPAN // 4
    middle = items(*messages[SPAN:], first=SPAN + 1)
    assert [(item.line, item.text) for item in middle] == [(item.line, item.text) for item in found[4:]]


TEXTS = ["a", "bc", "日", "👩‍🚀", "é", "\t", "\r", "\b", "\n", "\x00", "\x1b", "\x9b", "\x1b[", "  "]
MOVES = [f"\x1b[{count}{name}" for name in "ABCDEFGHJKPXsud@" for count in ("", "1", "2", "3;4")]
OTHERS = ["\x1b[31m", "\x1b[m", "\x1b[4:3;48;5;99m", *(f"\x1b{name}" for name in "78MDEc")]
LINKS = ["\x1b]8;;http://x\x07", "\x1b]8;;\x07"]
PIECES = st.sampled_from(TEXTS + MOVES + OTHERS + LINKS)
MESSAGES = st.lists(st.lists(PIECES, max_size=8).map("".join), min_size=1, max_size=30)


@settings(max_examples=300, deadline=None)
@given(MESSAGES)
def test_whatever_is_drawn_numbers_grow_and_no_line_stands_twice(messages: list[str]) -> None:
    found = items(*messages)
    numbers = [item.line for item in found]
    assert numbers == sorted(set(numbers))
    assert all(1 <= number <= len(messages) for number in numbers)
    for item in found:
        assert not any(char < " " and char not in "\t\n" for char in item.text)
        assert plain(item.coloured) == item.text


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=20).map("".join))
def test_a_message_that_was_shortened_draws_the_same(message: str) -> None:
    def rows(text: str) -> list[str]:
        return [row.rstrip() for row in shown(text).split("\n") if row.strip()]

    assert rows(shorter(message, 1 << 16)[0]) == rows(message)


COMPARE = """
import { readFileSync } from "node:fs";
import { Screen } from "SCREEN";
const told = JSON.parse(readFileSync(0)).map((messages) => {
	const screen = new Screen();
	const items = messages.flatMap((message, i) => screen.feed(i + 1, message));
	return [...items, ...screen.items].map(({ line, lines, states, rows }) => [line, lines, states, rows]);
});
console.log(JSON.stringify(told));
"""


def test_the_page_reads_whatever_is_drawn_in_the_same_way() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not here")
    chance = random.Random(11)
    pieces = [*TEXTS * 3, *MOVES, *OTHERS, *LINKS]
    logs = [["".join(chance.choices(pieces, k=chance.randrange(8))) for _ in range(12)] for _ in range(600)]
    code = COMPARE.replace("SCREEN", (Path(__file__).parents[2] / "static" / "screen.js").as_uri())
    command = [node, "--input-type=module", "-e", code]
    answer = subprocess.run(command, check=True, capture_output=True, text=True, input=json.dumps(logs)).stdout
    for messages, told in zip(logs, json.loads(answer), strict=True):
        found = [[item.line, item.lines, item.states, item.rows] for item in items(*messages)]
        assert json.loads(json.dumps(found)) == told, messages


def test_of_a_bar_the_end_is_kept_however_short_it_is_cut() -> None:
    bar = "".join(f"\r{n / 10:5.1f} %{'#' * 70}\x1b[K" for n in range(1001))
    assert len(bar) > 80_000
    assert shorter(bar, 8192) == ("\x1b[2K100.0 %" + "#" * 70, 1001)
    assert shorter(bar, 11)[0] == "\x1b[2K100.0 %"
    assert shorter("x" * 100, 10) == ("x" * 10, 0)
    assert shorter("é" * 10, 5) == ("éé", 0)
    assert shorter("ab\x1b[31mc", 4) == ("ab", 0)


HEAVY = ["\x1b", "\x1b[", "\x1b]", "\x9d", "\x1b[38;5;1m", "\r", "\b", "\x1b[1;", "a\r", "\x1b ("]


@pytest.mark.parametrize("unit", HEAVY)
def test_no_line_takes_long(unit: str) -> None:
    message = unit * (400_000 // len(unit))
    plain(message)
    shown(message)
    shorter(message, 100)

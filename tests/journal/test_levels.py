from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webapp.journal import levels as module
from webapp.journal.levels import HEAD, LEVELS, PIECE, levels
from webapp.journal.terminal import Screen


def level(message: str) -> str | None:
    return LEVELS[levels([message])[0]]


@pytest.mark.parametrize(
    "message",
    [
        "ERROR no such table",
        "2026-11-24 03:40:15,123 ERROR webapp.poller no answer",
        "[ERROR] x",
        "npm ERR! code E404",
        "FATAL: role does not exist",
        "CRITICAL x",
        "kernel CRIT x",
        "PANIC x",
        "SEVERE x",
        "EMERG x",
        "ALERT x",
        "\x1b[31mERROR\x1b[0m: it is red",
        "\x1b[1;38;5;196merror\x1b[0m: red too",
        "Traceback (most recent call last):",
        "  Traceback (most recent call last):",
        "E0102 15:04:05.123456    1 main.go:3] x",
        "F1224 15:04:05.123456    1 main.go:3] x",
        "error: unknown flag",
        "Error: cannot find module",
        "error[E0308]: mismatched types",
        "panic: runtime error",
        "  error: indented",
        "ts=1 level=error msg=x",
        "ts=1 level = error",
        "ts=1 lvl=err msg=x",
        '{"ts":1,"level":"error","msg":"x"}',
        '{"ts":1,"severity": "CRITICAL","msg":"x"}',
        '{"levelname": "Error"}',
        "{'level': 'fatal'}",
        '{"level":50,"msg":"x"}',
        "12:00 [error] 7#7: open() failed",
        "12:00 [ error ] padded",
        "<error> x",
        "main.c:3:5: error: expected ';'",
        "main.c:3:5: fatal error: no.h: no such file",
        "ERROR first, INFO later",
    ],
)
def test_errors(message: str) -> None:
    assert level(message) == "error"


@pytest.mark.parametrize(
    "message",
    [
        "WARNING x",
        "x WARN y",
        "W0102 15:04:05.123456 1 main.go:3] x",
        "warning: unused variable",
        "level=warn x",
        "[warning  ] structlog",
        "main.c:3:5: warning: unused",
        '{"level":40}',
        "WARN before ERROR",
    ],
)
def test_warnings(message: str) -> None:
    assert level(message) == "warning"


@pytest.mark.parametrize(
    "message",
    [
        "INFO x",
        "\x1b[32mINFO\x1b[0m:     127.0.0.1 - GET /",
        "NOTICE x",
        "I0102 15:04:05.123456 1 main.go:3] x",
        "[info     ] structlog",
        "level=info error=none",
        '{"level":"info","msg":"ERROR in the text"}',
        '{"level":30}',
        "info: x",
    ],
)
def test_infos(message: str) -> None:
    assert level(message) == "info"


@pytest.mark.parametrize(
    "message", ["DEBUG x", "TRACE x", "VERBOSE x", "level=debug", "[trace] x", '{"level":"DEBUG"}']
)
def test_debugs(message: str) -> None:
    assert level(message) == "debug"


@pytest.mark.parametrize(
    "message",
    [
        "",
        " ",
        "tick",
        "0 ERRORS found",
        "no error here",
        "the error was fixed",
        "errors: 0",
        "information about debugging",
        "INFORMATION",
        "NO_ERROR",
        "ERROR_CODE=0",
        "MyERROR",
        "TERROR",
        "Xerror: y",
        "sublevels=error_free",
        "level=errors",
        "x[errors]",
        "E9902 is no date",
        "E0102",
        "list[int]",
        "a < b > c",
        '{"level":5}',
        "Traceback",
        "ERRÖR",
        "ÄERROR",
        "x" * HEAD + "ERROR",
    ],
)
def test_no_level(message: str) -> None:
    assert level(message) is None


def test_a_level_within_the_first_characters_counts_and_no_later_one() -> None:
    assert level("x" * (HEAD - 6) + " ERROR later") == "error"
    assert level("x" * (HEAD - 5) + " ERROR later") is None


def test_each_message_has_its_own_byte_whatever_it_holds() -> None:
    assert levels([]) == b""
    assert levels(["", "ERROR", "", "a\nINFO b\n\n", "DEBUG", "\n", "\r\n\x85\u2028WARN"]) == bytes(
        [0, 4, 0, 2, 1, 0, 3]
    )


def test_many_messages_keep_their_order() -> None:
    words = ["tick", "INFO", "WARN", "ERROR", "DEBUG"]
    messages = [words[index * 7 % 5] for index in range(3 * PIECE + 5)]
    streams = [str(index) for index in range(len(messages))]
    assert levels(messages, streams) == b"".join(levels([message]) for message in messages)


def test_colours_do_not_matter_and_other_sequences_do_not_hurt() -> None:
    assert level("\x1b[0m\x1b[33;1mWARN\x1b[K") == "warning"
    assert level("\x1b") is None
    assert level("\x1b]8;;http://x\x07 ERROR") == "error"


def test_of_a_line_that_is_drawn_again_the_last_state_counts_however_long_it_is() -> None:
    assert level("== 1 failed in 0.1s ==\r") == level("== 1 failed in 0.1s ==") == "error"
    assert level("running\rERROR it broke\r\r") == "error"
    assert level("ERROR try 1\r" + "x" * 3 * HEAD + "\rdone") is None
    assert level("x" * 3 * HEAD + "\r\x1b[KERROR it broke") == "error"


def test_what_moves_the_cursor_and_links_before_a_word_do_not_hide_it() -> None:
    cleared = "\x1b[?2026l\x1b[?2026h\r\x1b[K\r\x1b[1A\r\x1b[K\r\x1b[1A"
    assert level(f"{cleared}\x1b[7m\x1b[1m\x1b[31m FAIL \x1b[39m\x1b[22m\x1b[27m\x1b[0m src/a.test.js\r") == "error"
    assert level("\x1b]8;;https://example.org/E1\x1b\\error[E0382]\x1b]8;;\x1b\\: borrow of moved value") == "error"


_WORDS = [
    "ERROR",
    "error",
    "Info",
    "warn",
    "DEBUG",
    "level",
    '"severity"',
    "lvl",
    "40",
    "E0102 ",
    "fatal error",
]
_PARTS = st.sampled_from([*_WORDS, "Traceback (most recent call last)", ": ", "\x1b[31m", *"[]<>=: \"'_x7\né"])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(_PARTS, max_size=8).map("".join), max_size=6))
def test_the_quick_look_finds_whatever_the_exact_one_finds(messages: list[str]) -> None:
    for message in messages:
        text = module._COLOUR.sub("", message[:HEAD].replace("\n", "\v"))
        found = module._LINE.findall(text + "\n")
        assert len(found) == 1
        if found[0]:
            assert module._ANYTHING.search(text)
    streams = [str(index) for index in range(len(messages))]
    assert levels(messages, streams) == b"".join(levels([message]) for message in messages)


_TOOLS = Path(__file__).parent.parent / "fixtures" / "terminal"


@pytest.mark.parametrize(
    ("tool", "errors", "others"),
    [
        ("jest", ["FAIL  src/sum.test.js", "● sum › adds 1 + 2 to equal 3", "Received: -1", "FAIL  src/slow.test.js",
                  "TypeError: Cannot read", "Test Suites: 2 failed", "Tests:       2 failed"],
         ["PASS  src/ok.test.js", "● Console", "Snapshots:", "Ran all test suites."]),
        ("xdist", ["E   assert 33 != 33", "test_x.py:3: AssertionError", "FAILED test_x.py::test_n[33]", "1 failed,"],
         ["2 workers [61 items]", "plugins: xdist", "test session starts"]),
        ("apt", ["E: Unable to locate package"], ["Reading package lists... Done"]),
        ("nested", [], ["epoch 0", "epochs: 100%"]),
    ],
)  # fmt: skip
def test_what_a_tool_wrote_to_a_terminal_has_the_errors_that_a_person_sees(
    tool: str, errors: list[str], others: list[str]
) -> None:
    messages = (_TOOLS / f"{tool}.raw").read_bytes().decode().removesuffix("\n").split("\n")
    codes = levels(messages)
    screen = Screen()
    items = [item for number, message in enumerate(messages, 1) for item in screen.feed(number, message)] + screen.items
    for wanted, texts in ((True, errors), (False, others)):
        for text in texts:
            said = [codes[item.line - 1] for item in items if text in item.text]
            assert said and all((code == 4) is wanted for code in said), text


def _table() -> list[tuple[str, str]]:
    text = Path(__file__).with_name("levels.txt").read_text(encoding="utf-8")
    rows = [line.split("| ", 1) for line in text.splitlines() if line and not line.startswith("# ")]
    return [(row[0], row[1]) for row in rows]


@pytest.mark.parametrize(("named", "line"), _table())
def test_a_real_line_has_the_level_that_a_person_would_give_it(named: str, line: str) -> None:
    assert (level(line) or "-") == named

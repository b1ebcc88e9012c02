from __future__ import annotations

from webapp.journal.levels import LEVELS, levels
from webapp.journal.memory import Memory


def marked(text: str) -> list[str]:
    """The lines that have the level of an error, by their text."""
    lines = text.strip("\n").split("\n")
    return [line for line, code in zip(lines, levels(lines), strict=True) if LEVELS[code] == "error"]


TRACEBACK = """
starting
Traceback (most recent call last):
  File "/app/x.py", line 3, in <module>
    main()
    ~~~~^^
  File "/app/x.py", line 2, in main
    return {}["missing"]
KeyError: 'missing'
done
"""


def test_a_traceback_goes_down_to_its_exception_line_and_no_further() -> None:
    assert marked(TRACEBACK) == TRACEBACK.strip("\n").split("\n")[1:-1]


def test_an_exception_of_any_name_ends_its_traceback() -> None:
    text = 'Traceback (most recent call last):\n  File "x", line 1\nmy.module.Boom: 3\nINFO after'
    assert marked(text) == text.split("\n")[:3]


def test_a_chain_of_tracebacks_is_all_of_it() -> None:
    text = TRACEBACK + "\nDuring handling of the above exception, another exception occurred:\n" + TRACEBACK
    assert len(marked(text)) == 2 * 7 + 1


def test_an_indented_traceback_ends_at_its_own_indent() -> None:
    text = '    Traceback (most recent call last):\n      File "x", line 1\n    Boom: 3\n    next'
    assert marked(text) == text.split("\n")[:3]


def test_a_traceback_that_two_appends_cut_through_goes_on() -> None:
    lines = TRACEBACK.strip("\n").split("\n")
    for cut in range(1, len(lines)):
        memory = Memory()
        codes = levels(lines[:cut], None, memory) + levels(lines[cut:], None, memory)
        assert codes == levels(lines)


def test_lines_of_another_stream_in_between_are_none_of_it() -> None:
    lines = ["Traceback (most recent call last):", "tick", '  File "x", line 1', "tock", "Boom: 3", "tick"]
    streams = ["stderr", "stdout"] * 3
    assert list(levels(lines, streams)) == [4, 0, 4, 0, 4, 0]


def test_stack_frames_belong_to_the_exception_above_them() -> None:
    java = (
        'Exception in thread "main" java.lang.IllegalStateException: x\n\tat a.B.c(B.java:3)\n\tat a.B.main(B.java:9)\n'
        "Caused by: java.io.IOException: y\n\t... 2 more\nnext"
    )
    assert marked(java) == java.split("\n")[:-1]
    node = "TypeError: x is not a function\n    at main (/app/x.js:3:5)\n    at node:internal/main:1:1\n\nNode.js v20"
    assert marked(node) == node.split("\n")[:3]
    warned = "WARN slow\n    at main (/app/x.js:3:5)"
    assert list(levels(warned.split("\n"))) == [3, 3]
    assert list(levels(["plain", "    at main (/app/x.js:3:5)"])) == [0, 0]


def test_the_stacks_of_a_panic_belong_to_it() -> None:
    text = "panic: boom\n\ngoroutine 1 [running]:\nmain.main()\n\t/app/main.go:3 +0x1d\nexit status 2\nnext"
    assert [line for line in text.split("\n")[:-1] if line] == marked(text)


def test_what_a_compiler_quotes_and_the_box_that_a_tool_draws_belong_to_the_error() -> None:
    rust = "error[E0382]: borrow of moved\n --> src/main.rs:4:5\n  |\n4 |     x;\n  |     ^ value borrowed\n\nnext"
    assert marked(rust) == rust.split("\n")[:5]
    box = "│ Error: Invalid resource\n│ \n│   on main.tf line 1:\n╵\nnext"
    assert marked(box) == box.split("\n")[:4]
    cmake = "CMake Error at CMakeLists.txt:3 (message):\n  no such package\n\n\n-- Configuring done"
    assert marked(cmake) == cmake.split("\n")[:2]


def test_what_a_failed_go_test_says_belongs_to_it() -> None:
    go = "=== RUN   TestAdd\n--- FAIL: TestAdd (0.00s)\n    add_test.go:5: got 1, want 2\n    add_test.go:6: and 3\nok"
    assert marked(go) == go.split("\n")[1:4]
    assert marked("=== RUN   TestAdd\n--- PASS: TestAdd (0.00s)\n    add_test.go:5: a note") == []


def test_what_stands_no_deeper_than_the_head_of_a_failure_is_none_of_it() -> None:
    jest = " FAIL  a.test.js\n  ● sum › adds\n\n    Expected: 3\n\n RUNS  b.test.js\n PASS  b.test.js"
    assert marked(jest) == [" FAIL  a.test.js", "  ● sum › adds", "    Expected: 3"]


def test_a_record_that_never_ends_is_given_up() -> None:
    lines = ["Traceback (most recent call last):", *["  x"] * 10_000]
    assert list(levels(lines)).count(4) < 3_000

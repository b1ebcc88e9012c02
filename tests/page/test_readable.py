"""Lines as a person reads them; hostile ones as text and nothing else."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from .written import Written

Write = Callable[..., Written]
Look = Callable[..., Page]


def message(page: Page, line: int) -> str:
    return str(page.locator(f'.row[data-line="{line}"] .m').inner_text())


def test_colours_and_styles_are_shown_and_everything_else_is_taken_out(write: Write, look: Look) -> None:
    job = write()
    job.log(
        "\x1b[1;31mred\x1b[0m plain \x1b[38;2;1;2;3mtrue\x1b[48;5;196mboth\x1b[0m",
        "\x1b]0;title\x07a\x1b[?25lb\x1b[6nc\x1b(B\x1b]8;;https://x.example/a\x1b\\link\x1b]8;;\x1b\\",
        "unfinished \x1b]0;hides nothing",
    )
    page = look(job)
    expect(page.locator("span.b")).to_have_text("red")
    expect(page.locator("span.b")).to_have_css("color", "rgb(180, 35, 24)")
    expect(page.get_by_text("true", exact=True)).to_have_css("color", "rgb(1, 2, 3)")
    expect(page.get_by_text("both", exact=True)).to_have_css("background-color", "rgb(255, 0, 0)")
    assert message(page, 1) == "red plain trueboth"
    assert message(page, 2) == "abclink ↗x.example"
    expect(page.locator(".m a")).to_have_attribute("href", "https://x.example/a")
    assert message(page, 3) == "unfinished ␛]0;hides nothing"
    assert "title" not in page.title()


def test_hostile_lines_stay_text(write: Write, look: Look) -> None:
    job = write(name="<img src=x onerror=alert(1)>")
    hostile = [
        "<script>document.title = 'owned'</script>", "<img src=x onerror=\"document.title='owned'\">",
        "</div></body>",
        "javascript:alert(1)", "{{7*7}} {% raise %}", "\u202egnp.exe", "a\x00b\x7fc\x9b", "\u2028 and \u2029",
        "\x1b[31;<b>m", "::group::<b>bold</b>", '{"<b>": "<script>"}',
    ]  # fmt: skip
    job.log(*hostile)
    page = look(job)
    expect(page.locator(".row")).to_have_count(len(hostile))
    assert page.locator("#log b b, #log script, #log img, h1 img").count() == 0
    assert message(page, 1) == hostile[0]
    assert message(page, 6) == "‹202E›gnp.exe"
    assert message(page, 7) == "a␀b‹007F›c‹009B›"
    page.locator(".unfold").click()
    expect(page.locator("#log .json")).to_contain_text('"<b>": "<script>"')
    assert "owned" not in page.title()


def test_a_progress_bar_shows_its_last_state(write: Write, look: Look) -> None:
    job = write()
    job.log("10%\r20%\r\x1b[32m100%\x1b[0m\r", "plain\r")
    page = look(job)
    expect(page.locator('.row[data-line="1"] .m span')).to_have_text("100%")
    expect(page.locator('.row[data-line="1"] .states')).to_have_text("×3")
    assert message(page, 2) == "plain"
    page.locator(".states").click()
    expect(page.locator(".states")).to_have_attribute("aria-expanded", "true")
    expect(page.locator(".drawn")).to_have_text("10%\n20%\n100%")
    page.locator(".states").click()
    expect(page.locator(".drawn")).to_have_count(0)


def test_a_very_long_line_folds_and_unfolds(write: Write, look: Look) -> None:
    job = write()
    job.log("x" * 5000 + "end", "y" * 300_000 + "end")
    page = look(job)
    expect(page.locator(".all")).to_have_text(["… 5KB, show all", "… 300KB, show all"])
    assert len(message(page, 1)) < 2100
    page.locator(".all").first.click()
    expect(page.locator('.row[data-line="1"] .m')).to_contain_text("xend")
    page.locator('.row[data-line="2"] .all').click()
    expect(page.locator('.row[data-line="2"] .m')).to_contain_text("yend")
    # Firefox paints no text node of that width to its end.
    nodes = page.evaluate("[...document.querySelector('.row[data-line=\"2\"] .m').childNodes].map(n => n.length ?? 0)")
    assert max(nodes) <= 50_000
    assert sum(nodes) == 300_003


def test_a_line_that_is_too_long_for_the_page_opens_beside_it(write: Write, look: Look) -> None:
    job = write()
    page = look(job)
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    job.log("y" * 2_000_000 + "end")
    expect(page.locator(".all")).to_have_text("… 2MB, show all")
    with page.expect_popup() as opened:
        page.locator(".all").click()
    expect(opened.value.locator("body")).to_contain_text("yend")
    assert len(message(page, 1)) < 2100


def test_ten_megabytes_in_one_line_leave_the_page_alive(write: Write, look: Look) -> None:
    job = write()
    job.log("before", "z" * 10_000_000, "after")
    page = look(job)
    expect(page.locator(".row")).to_have_count(3)
    assert page.evaluate("document.body.textContent.length") < 50_000
    page.keyboard.press("Home")
    expect(page.locator('.row[data-line="2"] .all')).to_be_visible()


def test_json_unfolds_on_a_click(write: Write, look: Look) -> None:
    job = write()
    job.log('{"event": "saved", "n": 12, "ok": true, "deep": {"a": [1]}}', "{not json}")
    page = look(job)
    expect(page.locator(".unfold")).to_have_count(1)
    page.locator(".unfold").click()
    expect(page.locator(".unfold")).to_have_attribute("aria-expanded", "true")
    assert '  "n": 12,' in page.locator("#log .json").inner_text()
    expect(page.locator(".jk").first).to_have_text('"event"')
    page.locator(".unfold").click()
    expect(page.locator("#log .json")).to_have_count(0)


def test_groups_fold_with_their_duration_even_when_their_end_is_far(write: Write, look: Look) -> None:
    job = write()
    job.log("start", "::group::Build things")
    job.fill(3000)
    job.log("::endgroup::", "after")
    page = look(job)
    expect(page.locator(".row .m").last).to_have_text("after")
    page.keyboard.press("Home")
    page.locator(".group").click()
    expect(page.locator(".group")).to_have_attribute("aria-expanded", "false")
    expect(page.locator(".group")).to_have_text("▸ Build things 3,000 lines · 3 s")
    expect(page.locator(".row .m")).to_have_text(["start", "▸ Build things 3,000 lines · 3 s", "after"])
    page.locator(".group").click()
    expect(page.locator('.row[data-line="3"]')).to_be_in_viewport()
    expect(page.locator(".group")).to_be_focused()


def test_groups_within_groups_end_where_they_end(write: Write, look: Look) -> None:
    job = write()
    job.log("::group::Outer", "one", "::group::Inner", "two", "::endgroup::", "three", "::endgroup::", "after")
    page = look(job)
    ends = page.locator(".row .m .quiet")
    expect(ends).to_have_text(["└ Inner · 2 ms", "└ Outer · 6 ms"])
    page.locator(".group").nth(1).click()
    expect(page.locator(".group").nth(1)).to_have_text("▸ Inner 1 line · 2 ms")
    page.locator(".group").nth(0).click()
    expect(page.locator(".row .m")).to_have_text(["▸ Outer 5 lines · 6 ms", "after"])


def test_levels_and_standard_error_are_told_apart(write: Write, look: Look) -> None:
    job = write()
    job.log("ERROR it broke", "WARNING it may", "fine")
    job.log("from stderr", stream="stderr")
    page = look(job)
    for level, letter in (("error", "E"), ("warning", "W")):
        cell = page.locator(f".row.{level} .l")
        assert cell.evaluate("cell => getComputedStyle(cell, '::before').content") == f'"{letter}"'
    expect(page.locator(".row.stderr")).to_have_attribute("data-line", "4")
    expect(page.locator('.row[data-line="4"] .l')).to_have_attribute("title", "Standard error")
    edge = "row => getComputedStyle(row.querySelector('.l')).boxShadow"
    assert [row.evaluate(edge) != "none" for row in page.locator(".row").all()] == [False, False, False, True]
    page.locator("#level").select_option("warning,error")
    expect(page.locator(".row")).to_have_count(2)
    job.log("ERROR live", "not shown")
    expect(page.locator(".row")).to_have_count(3)


def test_times_in_every_mode(write: Write, look: Look) -> None:
    job = write()
    job.start_ms = 1_700_000_000_000
    job.log("a", "b")
    page = look(job)
    times = page.locator(".row .t")
    expect(times).to_have_text(["03:43:20.001", "03:43:20.002"])
    modes = {
        "utc": ["22:13:20.001Z", "22:13:20.002Z"],
        "start": ["+0:00.000", "+0:00.001"],
        "previous": ["", "+0:00.001"],
    }
    for mode, shown in modes.items():
        page.keyboard.press("t")
        expect(times).to_have_text(shown)
        assert f"time={mode}" in page.url
    page.keyboard.press("t")
    expect(times.first).to_be_hidden()


def test_a_selection_over_rows_copies_the_lines_own_text(write: Write, look: Look) -> None:
    job = write()
    job.log("first line", "  \x1b[31mindented\x1b[0m", "x" * 5000, "last line")
    page = look(job)
    expect(page.locator(".row")).to_have_count(4)
    page.evaluate(
        """() => { const texts = [...document.querySelectorAll('.row .m')].map(m => m.firstChild);
        getSelection().setBaseAndExtent(texts[0], 6, texts[3], 4); }"""
    )
    page.keyboard.press("Control+c")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.split("\n") == ["line", "  indented", "x" * 5000, "last"]

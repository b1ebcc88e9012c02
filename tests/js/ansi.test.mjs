import assert from "node:assert/strict";
import test from "node:test";
import { indexed, lastState, plain, spans } from "../../static/ansi.js";

const ESC = "\x1b";
const one = (text, classes = "", fg = null, bg = null) => ({ text, classes, fg, bg });

test("16 colours and styles become classes of the theme", () => {
  assert.deepEqual(spans(`${ESC}[1;31mred${ESC}[22;39m off${ESC}[97;104mbright${ESC}[m`), [
    one("red", "b f1"), one(" off"), one("bright", "f15 g12"),
  ]);
});

test("256 colours and true colours are given as they are", () => {
  assert.deepEqual(spans(`${ESC}[38;5;196mx${ESC}[48;2;1;2;3my${ESC}[0mz`), [
    one("x", "", "rgb(255,0,0)"), one("y", "", "rgb(255,0,0)", "rgb(1,2,3)"), one("z"),
  ]);
  assert.deepEqual(spans(`${ESC}[38:2::9:8:7mx`), [one("x", "", "rgb(9,8,7)")]);
  assert.deepEqual(spans(`${ESC}[38;5;3mx`), [one("x", "f3")]);
});

test("colours that are none are none", () => {
  for (const bad of ["38;5;256", "38;2;1;2;999", "38;5", "38", "48;2;1", "999", "1e9", ";;;"]) {
    const [span] = spans(`${ESC}[${bad}mx`).slice(-1);
    assert.equal(span.text.at(-1), "x");
    assert.equal(span.fg, null, bad);
  }
});

test("the table of 256 has its cube and its greys", () => {
  assert.deepEqual([indexed(16), indexed(21), indexed(231), indexed(232), indexed(255), indexed(7), indexed(300), indexed(NaN)],
    ["rgb(0,0,0)", "rgb(0,0,255)", "rgb(255,255,255)", "rgb(8,8,8)", "rgb(238,238,238)", 7, null, null]);
});

test("other sequences are taken out whole, unfinished ones hide nothing", () => {
  assert.deepEqual(spans(`a${ESC}[2Kb${ESC}]0;t\x07c${ESC}]8;;http://x${ESC}\\d`), [one("a"), one("b"), one("c"), one("d")]);
  assert.deepEqual(spans(`${ESC}]0;text`).map(({ text }) => text).join(""), "␛]0;text");
});

test("what could hide or reorder text is shown", () => {
  assert.equal(spans("a\0\u202eb\u2066\x7f").map(({ text }) => text).join(""), "a␀‹202E›b‹2066›‹007F›");
});

test("plain text has no sequences and no control characters", () => {
  assert.equal(plain(`${ESC}[31mred${ESC}[0m\tx\r\n\0\u202ey`), "red\tx\n\u202ey");
});

test("a line that was drawn over shows its last state", () => {
  assert.equal(lastState("10%\r20%\r30%"), "30%");
  assert.equal(lastState(`10%\r${ESC}[K\r`), "10%");
  assert.equal(lastState(`1${ESC}[1G2`), "2");
  assert.equal(lastState("\r"), "");
  assert.equal(lastState("no return"), "no return");
});

test("a megabyte of escapes is done at once", () => {
  for (const text of [ESC.repeat(1e6), `${ESC}[`.repeat(5e5), `${ESC}]`.repeat(5e5), `${ESC}[38;5;1m`.repeat(1e5)]) {
    const started = performance.now();
    spans(text);
    assert.ok(performance.now() - started < 20_000);
  }
});

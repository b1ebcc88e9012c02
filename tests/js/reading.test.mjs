import assert from "node:assert/strict";
import test from "node:test";
import { Reading } from "../../static/reading.js";

const line = (n, message) => ({ line: n, message, stream: "stdout" });
const log = [
  ...Array.from({ length: 300 }, (_, n) => `before ${n}`), "pull",
  ...Array.from({ length: 120 }, (_, n) => `${n && n % 3 === 0 ? "\x1b[3A" : ""}\x1b[2K\x1b[3${n % 3}mlayer ${n % 3}: ${n}\x1b[m`),
  "bar\r 10%\r100%", "\x1b[31mred", "still red", "\x1b[0mnot", ...Array.from({ length: 300 }, (_, n) => `after ${n}`),
].map((message, n) => line(n + 1, message));
const seen = (reading) => reading.items.map((line) => [line.line, line.shown.text, line.shown.rows]);

function whole(lines = log) {
  const reading = new Reading();
  reading.append(lines);
  return seen(reading);
}

test("it is shown the same however it came", () => {
  const wanted = whole();
  assert.equal(wanted.length, 300 + 1 + 3 + 4 + 300);
  for (const step of [1, 7, 100]) {
    for (const from of [0, 250, 310, 335, 421, 425, 500]) {
      const reading = new Reading();
      for (let at = from; at < log.length; at += step) reading.append(log.slice(at, at + step));
      for (let at = from; at > 0; at -= step) reading.prepend(log.slice(Math.max(0, at - step), at));
      assert.deepEqual(seen(reading), wanted, `from ${from} by ${step}`);
      assert.deepEqual(reading.ends, [1, log.length]);
    }
  }
});

test("it says from where on the items have changed", () => {
  const reading = new Reading();
  assert.equal(reading.append(["a", "b", "c"].map((text, n) => line(n + 1, text))), 0);
  assert.equal(reading.append([line(4, "d")]), 0);
  assert.equal(reading.append([line(5, "\x1b[2A\x1b[2KC")]), 3);
  assert.deepEqual(seen(reading).map(([n, text]) => [n, text]), [[1, "a"], [2, "b"], [3, "C"], [4, "d"]]);
  assert.equal(reading.append([line(6, "\x1b[2KD")]), 3);
  assert.deepEqual(reading.items.map(({ line }) => line), [1, 2, 5, 6]);
  assert.equal(reading.append([line(7, "e")]), 0);
});

test("what was dropped at either end can come again", () => {
  const wanted = whole();
  const reading = new Reading();
  reading.append(log);
  reading.cut(310);
  const [, last] = reading.ends;
  assert.ok(last < 425);
  reading.append(log.slice(last));
  assert.deepEqual(seen(reading), wanted);
  reading.drop(200);
  const [first] = reading.ends;
  assert.equal(first, 201);
  reading.prepend(log.slice(0, 200));
  assert.deepEqual(seen(reading), wanted);
});

test("lines that do not follow each other are read each by itself", () => {
  const reading = new Reading();
  reading.append([line(1, "a"), line(3, "\x1b[1A\x1b[2Kb"), line(4, "\x1b[1A\x1b[2Kc")]);
  assert.deepEqual(seen(reading).map(([n, text]) => [n, text]), [[1, "a"], [4, "c"]]);
  const alone = new Reading(true);
  alone.append([line(1, "a"), line(2, "\x1b[1A\x1b[2Kb\rB")]);
  assert.deepEqual(seen(alone).map(([n, text]) => [n, text]), [[1, "a"], [2, "B"]]);
});

test("a block that is drawn for ever does not fill the memory", () => {
  const reading = new Reading();
  for (let n = 0; n < 100_000; n += 100) {
    reading.append(Array.from({ length: 100 }, (_, i) => line(n + i + 1, `${i % 10 ? "" : "\x1b[10A"}\x1b[2Krow ${i % 10}`)));
  }
  assert.ok(reading.lines.length <= 30_100);
  assert.equal(reading.items.length, 100);
});

test("what is missing before a line that was drawn over is not lost", () => {
  const reading = new Reading();
  const gap = { count: 5, line: 2 };
  reading.append([line(1, "a"), { ...line(7, "b 1"), before: [gap] }, line(8, "c")]);
  reading.append([line(9, "\x1b[2A\x1b[2Kb 2"), line(10, "c 2")]);
  assert.deepEqual(reading.items.map(({ line, before }) => [line, before]), [[1, undefined], [9, [gap]], [10, undefined]]);
});

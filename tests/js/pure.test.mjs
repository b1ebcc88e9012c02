import assert from "node:assert/strict";
import test from "node:test";
import { formatMark, formatView, lineOf, NARROW, parseMark, parseView, WIDE } from "../../static/address.js";
import { begins } from "../../static/errors.js";
import { finder } from "../../static/highlight.js";
import { describe } from "../../static/head.js";
import { unfolded } from "../../static/lines.js";
import { bytes, isJson } from "../../static/row.js";
import { backoff, events } from "../../static/stream.js";
import { clock, duration, silence, stamp } from "../../static/times.js";
import { makeScale } from "../../static/viewport.js";

test("a mark is read and written", () => {
  assert.deepEqual(parseMark("#mb3k7-120"), { epoch: "mb3k7", first: 120, last: 120 });
  assert.deepEqual(parseMark("#mb3k7-140..120"), { epoch: "mb3k7", first: 120, last: 140 });
  for (const bad of ["", "#", "#log", "#MB-1", "#a-", "#a-1..", "#a-1.5", `#${"a".repeat(17)}-1`, "#a-1234567890123456"]) assert.equal(parseMark(bad), null);
  for (const hash of ["#a-1", "#a-1..9"]) assert.equal(formatMark(parseMark(hash)), hash);
  assert.equal(formatMark(null), "");
  assert.equal(lineOf("mb3k7-120"), 120);
});

test("the view is read and written, and what is wrong is left out", () => {
  const query = "?q=a+b&regex=true&level=warning%2Cerror&time=utc&wrap=true&sample_logs=true";
  assert.equal(formatView(parseView(query)), query);
  assert.equal(formatView(parseView("")), "");
  assert.equal(formatView(parseView("?time=noon&wrap=yes&level=%3Cb%3E&other=1")), "");
  assert.equal(parseView("?q=true").q, "true");
  assert.equal(parseView("?level=info,warning,error").level, "none,info,warning,error");
  const more = "?q=a&case=exact&only=true&exclude=b%0Ac&level=none%2Cinfo%2Cwarning%2Cerror";
  assert.equal(formatView(parseView(more)), more);
});

test("where there is little room lines are wrapped and have no time, unless the address says so", () => {
  assert.deepEqual([parseView("", NARROW).time, parseView("", NARROW).wrap], ["none", true]);
  assert.equal(formatView(parseView("", NARROW), NARROW), "");
  assert.equal(formatView(parseView("?time=local&wrap=false", NARROW), NARROW), "?time=local&wrap=false");
  assert.equal(formatView(parseView("?time=none&wrap=true", WIDE), WIDE), "?time=none&wrap=true");
});

test("durations have two units at most", () => {
  const cases = { 0: "0 ms", 850: "850 ms", 12_340: "12.3 s", 60_000: "1 min", 245_000: "4 min 5 s", 7_440_000: "2 h 4 min", 266_400_000: "3 d 2 h" };
  for (const [ms, text] of Object.entries(cases)) assert.equal(duration(Number(ms)), text);
  assert.deepEqual([clock(-1), clock(724_000), clock(3_723_000)], ["0:00", "12:04", "1:02:03"]);
});

test("the time of a line in every mode", () => {
  assert.equal(stamp(1_700_000_000_123, "utc", 0, 0), "22:13:20.123Z");
  assert.equal(stamp(1500, "start", 0, null), "+0:01.500");
  assert.equal(stamp(1500, "previous", null, 2000), "−0:00.500");
  assert.equal(stamp(1500, "previous", 0, null), "");
  assert.equal(stamp(9e15, "local", null, null), "?");
  assert.match(stamp(0, "local", null, null), /^\d\d:\d\d:00\.000$/);
});

test("silence is said when it is longer than usual", () => {
  assert.equal(silence(29_000, [0, 1]), "");
  assert.equal(silence(240_000, []), "No output for 4 min");
  assert.equal(silence(240_000, [0, 8000, 16_000]), "No output for 4 min, usually every 8 s");
  assert.equal(silence(240_000, [0, 60_000, 120_000]), "");
});

test("the scrollbar's places and lines are each other's inverse, the ends to the pixel", () => {
  for (const lines of [10, 400_000, 1e6, 1e7, 1e9]) {
    const scale = makeScale(1, lines, 20);
    assert.ok(scale.height <= 8e6);
    for (const part of [0, 0.001, 0.1, 0.5, 0.9, 1]) {
      const line = 1 + Math.floor((lines - 1) * part);
      assert.ok(Math.abs(scale.line(scale.top(line)) - line) <= 1, `${line} of ${lines}`);
    }
    assert.equal(scale.top(2) - scale.top(1), 20);
    assert.equal(Math.round(scale.height - scale.top(lines)), 20);
    let before = -1;
    for (let n = 1; n <= lines; n += Math.ceil(lines / 997)) {
      assert.ok(scale.top(n) > before);
      before = scale.top(n);
    }
  }
  assert.equal(makeScale(101, 200, 20).line(0), 101);
});

test("events come out of chunks however they are cut", async () => {
  const text = ': ping\n\nid: a-1\nevent: lines\ndata: [1,\ndata: 2]\n\nretry: 5\n\nevent: bye\ndata: {"é": "→"}\n\ndata: last';
  const want = [{ event: "lines", data: "[1,\n2]", id: "a-1" }, { event: "bye", data: '{"é": "→"}', id: null }];
  const bytes = new TextEncoder().encode(text);
  for (let size = 1; size < bytes.length; size++) {
    const [parts, found] = [[], []];
    for (let at = 0; at < bytes.length; at += size) parts.push(bytes.slice(at, at + size));
    let heard = 0;
    for await (const event of events(ReadableStream.from(parts), () => heard++)) found.push(event);
    assert.deepEqual(found, want);
    assert.ok(heard > 0);
  }
});

test("the pauses between attempts grow to a bound", () => {
  for (const [attempt, most] of [[1, 1200], [3, 4200], [50, 15_200], [2000, 15_200]]) {
    assert.equal(backoff(attempt, 0), 200);
    assert.equal(backoff(attempt, 1), most);
  }
});

test("a status in words", () => {
  const cases = [
    [{ job_status: "Done", finished_job_status: true }, "done"], [{ job_status: "Failed" }, "failed"], [{ job_status: "Cancelled" }, "canceled"],
    [{ job_status: "Canceling" }, "stopping"], [{ status: "pending" }, "pending"], [{ status: "running" }, "running"],
    [{ status: "terminated", terminal_status: true }, "ended"], [{ terminal_status: true, finished_job_status: false, status: "x" }, "running"], [{}, "running"],
  ];
  for (const [status, state] of cases) assert.equal(describe(status).state, state);
});

test("folded ranges are passed over", () => {
  const folded = [[5, 9], [10, 12], [20, Infinity]];
  assert.deepEqual([4, 5, 11, 13, 25].map((line) => unfolded(line, folded)), [4, 13, 13, 13, Infinity]);
  assert.deepEqual([4, 9, 12, 13, 25].map((line) => unfolded(line, folded, -1)), [4, 4, 4, 13, 19]);
});

test("a text is found in either case, or exactly", () => {
  assert.deepEqual(finder("a.b", false)("A.B axb a.b"), [[0, 3], [8, 11]]);
  assert.deepEqual(finder("Error", true)("error Error"), [[6, 11]]);
});

test("an error begins with a line that says so, not with what belongs to it", () => {
  const lines = (...messages) => messages.map((message, i) => ({ line: 10 + i, message }));
  const starts = (items) => items.filter((item, i) => begins(item, items[i - 1] ?? null)).map(({ line }) => line);
  assert.deepEqual(starts(lines("ERROR a", "ERROR b")), [10, 11]);
  assert.deepEqual(starts(lines("Traceback (most recent call last):", '  File "x.py", line 1', "    raise ValueError", "ValueError: x")), [10]);
  assert.deepEqual(starts(lines("Traceback (most recent call last):", "ERROR: x")), [10]);
  assert.deepEqual(starts([{ line: 1, message: "boom" }, { line: 9, message: "bang" }]), [1, 9]);
  assert.deepEqual(starts(lines("E   AssertionError", "E     - left", "E     + right")), [10]);
  const spaced = [{ line: 1, message: "E   AssertionError" }, { line: 3, message: "E   Full diff" }, { line: 5, message: "t.py:2: AssertionError" }, { line: 7, message: "FAILED t.py::test_a" }];
  assert.deepEqual(starts(spaced), [1, 7]);
});

test("JSON and sizes", () => {
  assert.ok(isJson(' {"a": 1}'));
  for (const text of ['{"loss": NaN}', "[Infinity, -Infinity, NaN]", '{"NaN": "say \\"NaN", "b": [NaN]}']) assert.ok(isJson(text), text);
  for (const text of ["{a}", "12", "", "[1", '"x"', "[1] 2", "{NaN}", "[INFO] NaN", "[1NaN]", '{"a": "NaN}']) assert.ok(!isJson(text), text);
  assert.deepEqual([999, 1400, 10e6].map((count) => bytes(count)), ["999B", "1.4KB", "10MB"]);
});

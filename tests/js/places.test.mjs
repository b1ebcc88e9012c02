import assert from "node:assert/strict";
import test from "node:test";
import { parsePlace } from "../../static/places.js";

const end = Date.UTC(2026, 10, 26, 14, 0, 0);
const log = { start: end - 3_600_000, end, utc: true };
const ms = (text, more = {}) => parsePlace(text, { ...log, ...more })?.ms;

test("lines and ranges", () => {
  assert.deepEqual(parsePlace("120", log), { first: 120, last: 120 });
  assert.deepEqual(parsePlace("120..140", log), { first: 120, last: 140 });
});

test("a time of day is the last such moment of the log", () => {
  assert.equal(ms("13:32"), Date.UTC(2026, 10, 26, 13, 32));
  assert.equal(ms("9:05:07.25"), Date.UTC(2026, 10, 26, 9, 5, 7, 250));
  assert.equal(ms("14:32"), Date.UTC(2026, 10, 25, 14, 32)); // not yet today
  assert.equal(ms("2026-11-20 14:32"), Date.UTC(2026, 10, 20, 14, 32));
  assert.equal(ms("2026-11-20T14:32:00"), Date.UTC(2026, 10, 20, 14, 32));
  assert.equal(ms("13:32Z", { utc: false }), Date.UTC(2026, 10, 26, 13, 32));
});

test("a time is read in the zone in which times are shown", () => {
  const local = new Date(2026, 10, 26, 13, 32).getTime();
  assert.equal(ms("13:32", { utc: false, end: local + 1 }), local);
});

test("a while before the end or after the start", () => {
  assert.equal(ms("-10m"), end - 600_000);
  assert.equal(ms("+90s"), log.start + 90_000);
  assert.deepEqual([ms("-2h"), ms("-1d")], [end - 7_200_000, end - 86_400_000]);
});

test("anything else is no place", () => {
  for (const text of ["", "x", "12:", "1:2", "12:345", "-10", "10m", "..5", "5..", "1".repeat(16)]) assert.equal(parsePlace(text, log), null, text);
});

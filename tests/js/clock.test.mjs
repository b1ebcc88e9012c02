import assert from "node:assert/strict";
import test from "node:test";
import { makeSlot } from "../../static/slots.js";
import { day } from "../../static/times.js";

const fresh = (name) => import(`../../static/clock.js?${name}`);
const header = (ms) => new Date(ms).toUTCString();

test("a reader's clock that agrees within the header's seconds is taken as it is", async () => {
  const { hear, now } = await fresh("agrees");
  const sent = Date.now();
  hear(header(sent), sent, sent + 20);
  assert.ok(Math.abs(now() - Date.now()) < 5);
});

test("a reader's clock that is ten minutes ahead or behind is put right", async () => {
  for (const wrong of [600_000, -600_000]) {
    const { hear, now } = await fresh(`wrong${wrong}`);
    const sent = Date.now();
    hear(header(sent + wrong), sent, sent + 20);
    assert.ok(Math.abs(now() - Date.now() - wrong) <= 2000);
    hear(null, sent);
    hear("nonsense", sent);
    assert.ok(Math.abs(now() - Date.now() - wrong) <= 2000);
    hear(header(sent), sent, sent + 20); // it was set right meanwhile
    assert.ok(Math.abs(now() - Date.now()) <= 2000);
  }
});

test("four tabs get a slot, the fifth when one of them is gone or dead", () => {
  const storage = {};
  let time = 0;
  const tabs = Array.from({ length: 5 }, () => makeSlot(storage, () => time));
  assert.deepEqual(tabs.map((tab) => tab.claim()), [true, true, true, true, false]);
  assert.deepEqual(tabs.map((tab) => tab.claim()), [true, true, true, true, false]);
  tabs[1].release();
  assert.equal(tabs[4].claim(), true);
  assert.equal(tabs[1].claim(), false);
  time = 30_000;
  for (const tab of [tabs[0], tabs[2], tabs[4]]) tab.claim(); // the fourth has died
  time = 50_000;
  assert.equal(tabs[1].claim(), true);
  assert.equal(Object.keys(storage).length, 4);
});

test("the day of a line is that of the zone in which its time is shown", () => {
  assert.match(day(Date.UTC(2026, 10, 26, 23, 59), "utc"), /^Thursday,? 26 November 2026$/);
  assert.match(day(Date.UTC(2026, 10, 27), "utc"), /^Friday,? 27 November 2026$/);
  assert.deepEqual([day(0, "start"), day(0, "none"), day(9e15, "utc")], ["", "", ""]);
});

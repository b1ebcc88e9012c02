import assert from "node:assert/strict";
import test from "node:test";
import { groupEnd, groupStart, parseGroup } from "../../static/groups.js";
import { layOut } from "../../static/json.js";
import { findLinks } from "../../static/links.js";

const addresses = (text) => findLinks(text).filter(([, address]) => address).map(([, address]) => address);

test("addresses in a line", () => {
  const cases = {
    "see https://x.example/a?b=c#d, or (http://y.example/z).": ["https://x.example/a?b=c#d", "http://y.example/z"],
    "<https://x.example/a> 'http://y.example' \"http://z.example\"": ["https://x.example/a", "http://y.example", "http://z.example"],
    "https://en.wikipedia.org/wiki/A_(b) [https://x.example/[1]]": ["https://en.wikipedia.org/wiki/A_(b)", "https://x.example/[1]"],
    "javascript:alert(1) file:///etc/passwd ftp://x data:text/html,x //x.example xhttps://no": [],
    "https:// http://:80/ http://user:secret@x.example/ https://good.example@evil.example": [],
    "http://127.0.0.1:8000/ http://[::1]:8080/x": ["http://127.0.0.1:8000/", "http://[::1]:8080/x"],
    "https://x.example/\u202egnp.exe": ["https://x.example/"],
  };
  for (const [text, found] of Object.entries(cases)) {
    assert.deepEqual(addresses(text), found, text);
    assert.equal(findLinks(text).map(([part]) => part).join(""), text);
  }
  assert.equal(findLinks("http://".repeat(200_000)).map(([part]) => part).join("").length, 1_400_000);
});

test("JSON is laid out and its values stay as they were", () => {
  const text = '{"n": 12345678901234567890123, "f": 1.10, "big":1e400,"n":-0.0, "s":"\\u00e9 , {\\"} ", "a":[], "o":{ }, "l":[1,[true,null]]}';
  assert.equal(layOut(text).map(([, part]) => part).join(""),
    '{\n  "n": 12345678901234567890123,\n  "f": 1.10,\n  "big": 1e400,\n  "n": -0.0,\n  "s": "\\u00e9 , {\\"} ",\n  "a": [],\n  "o": {},\n  "l": [\n    1,\n    [\n      true,\n      null\n    ]\n  ]\n}');
  assert.deepEqual(layOut('{"a": "b", "c": 1}').filter(([kind]) => kind), [["key", '"a"'], ["string", '"b"'], ["key", '"c"'], ["literal", "1"]]);
  const deep = "[".repeat(3000) + "]".repeat(3000);
  assert.equal(layOut(deep).map(([, part]) => part.trim()).join(""), deep);
});

test("groups of every CI", () => {
  const titles = {
    "::group::a b": "a b", "##[group]x": "x", "2024-01-01T10:00:00.1234567Z ##[group]Run tests": "Run tests",
    "section_start:1560896352:my_first.section-1\r\x1b[0KHeader": "Header", "\x1b[0Ksection_start:1:a[collapsed=true]\r\x1b[0K\x1b[36;1mTitle\x1b[0;m": "\x1b[36;1mTitle\x1b[0;m",
    "section_end:2:a\r\x1b[0Ksection_start:3:b\r\x1b[0KNext": "Next",
    "--- :docker: Build": ":docker: Build", "+++ Tests": "Tests", "\x1b_bk;t=17\x07~~~ Preparing": "Preparing",
  };
  for (const [message, title] of Object.entries(titles)) assert.equal(parseGroup(message).title, title, message);
  const none = ["x ::group::", "--- a/file.c", "+++ b/file.c", "--- FAIL: TestX (0.00s)", "--- /dev/null", "---", "--- old.c\t2024-01-01", "--- Logging error ---", "-- x"];
  for (const message of none) assert.equal(parseGroup(message).title, undefined, message);
  for (const message of ["::endgroup::", "##[endgroup]", "section_end:1:a\r\x1b[0K"]) assert.equal(parseGroup(message).ends, 1, message);
});

test("a group ends where it ends", () => {
  const lines = (...messages) => messages.map((message, n) => ({ line: n + 1, message }));
  const end = (open, ...messages) => groupEnd(open, lines(...messages))?.last;
  assert.equal(end(false, "a", "::group::b", "::endgroup::", "c", "::endgroup::", "d"), 5);
  assert.equal(end(false, "a", "section_end:1:x\r\x1b[0Ksection_start:2:y\r\x1b[0KY", "b"), 1);
  assert.equal(end(true, "a", "::group::b", "--- Next"), 2);
  assert.equal(end(false, "a", "--- Next"), undefined);
  assert.equal(groupStart(lines("::group::a", "::group::b", "::endgroup::", "c")).line, 1);
  assert.equal(groupStart(lines("section_start:1:a\rA", "section_end:1:a\rsection_start:1:b\rB", "c")).line, 2);
});

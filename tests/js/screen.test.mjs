import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import test from "node:test";
import { columns } from "../../static/cells.js";
import { plain } from "../../static/escapes.js";
import { REACH, SPAN, Screen, read } from "../../static/screen.js";
import { restyle } from "../../static/sgr.js";

const facts = (name) => JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url)));

function items(messages, first = 1) {
  const screen = new Screen();
  const final = messages.flatMap((message, i) => screen.feed(first + i, message));
  return [...final, ...screen.items];
}

test("whole sequences are taken out and nothing else", () => {
  for (const [message, text] of facts("escapes")) assert.equal(plain(message), text, JSON.stringify(message));
});

test("styles", () => {
  for (const [style, parameters, after] of facts("sgr")) assert.equal(restyle(style, parameters), after, `${style} and ${parameters}`);
});

test("columns", () => {
  for (const [text, found] of facts("cells")) assert.deepEqual(columns(text), found, text);
});

for (const { name, first, lines, items: wanted } of facts("terminal")) {
  test(`a terminal shows: ${name}`, () => {
    const screen = new Screen();
    const found = lines.flatMap((line, i) => screen.feed(first + i, line.message ?? line, line.stream));
    assert.deepEqual([...found, ...screen.items].map(({ line, lines, states, rows, text }) => ({ line, lines, states, rows, text })),
      wanted.map(({ coloured, ...fact }) => fact));
  });
}

const real = new URL("../fixtures/terminal/", import.meta.url);
for (const name of readdirSync(real).filter((name) => name.endsWith(".raw"))) {
  test(`of real tools it shows what another terminal shows: ${name}`, () => {
    const lines = readFileSync(new URL(name, real), "utf8").replace(/\n$/, "").split("\n");
    const rows = items(lines).flatMap(({ text }) => text.split("\n")).map((row) => row.trimEnd());
    assert.equal(`${rows.join("\n").trimEnd()}\n`, readFileSync(new URL(name.replace(".raw", ".txt"), real), "utf8"));
  });
}

test("what is out of reach is final", () => {
  const found = items([...Array.from({ length: 3 * REACH }, (_, n) => `line ${n}`), `\x1b[${2 * REACH}A\x1b[2Ktop`]);
  assert.deepEqual([found.length, found.find(({ text }) => text === "top").line], [3 * REACH, 2 * REACH + 1]);
});

test("a block drawn for ever is held once and begins anew at every span", () => {
  const messages = Array.from({ length: 2 * SPAN }, (_, n) => `${n && n % 4 === 0 ? "\x1b[4A" : ""}\x1b[2Krow ${n % 4}: ${n}`);
  const found = items(messages);
  assert.deepEqual(found.map(({ line }) => line), [SPAN - 3, SPAN - 2, SPAN - 1, SPAN, 2 * SPAN - 3, 2 * SPAN - 2, 2 * SPAN - 1, 2 * SPAN]);
  assert.deepEqual(items(messages.slice(SPAN), SPAN + 1).map(({ text }) => text), found.slice(4).map(({ text }) => text));
});

test("a message by itself shows all that it draws", () => {
  assert.equal(read("\x1b[2A\x1b[2K\rone\r\x1b[1B\x1b[2K\rtwo").text, "one\ntwo");
  assert.equal(read("10%\r100%").text, "100%");
});

test("a megabyte of escapes is done", () => {
  for (const unit of ["\x1b", "\x1b[", "\x1b]", "\x9d", "\x1b[38;5;1m", "\r", "\b", "a\r", "\x1b ("]) {
    const message = unit.repeat(1e6 / unit.length);
    plain(message);
    assert.ok(read(message).rows);
  }
});

import assert from "node:assert/strict";
import test from "node:test";
import { contrast, indexed, paint, readable } from "../../static/ansi.js";

const BACKS = { light: [[255, 255, 255], [244, 245, 248], [255, 243, 242], [255, 250, 238], [255, 246, 207]], dark: [[16, 19, 24], [23, 27, 34], [36, 21, 22], [33, 27, 16], [44, 42, 23]] };
const TEXTS = { light: [34, 38, 45], dark: [214, 218, 225] };

/** The colours of a `light-dark(…)`. */
function pair(value) {
  const [light, dark] = [...value.matchAll(/rgb\(([^)]*)\)/g)].map(([, parts]) => parts.split(",").map(Number));
  return { light, dark };
}

test("whatever the colours are, text can be read in both themes", () => {
  const every = Array.from({ length: 256 }, (_, n) => `5;${n}`);
  const some = [[0, 0, 0], [255, 255, 255], [128, 128, 128], [255, 0, 0], [0, 0, 255], [255, 255, 0], [118, 118, 118]].map((rgb) => `2;${rgb.join(";")}`);
  const texts = ["", ...Array.from({ length: 8 }, (_, n) => [`${30 + n}`, `${90 + n}`]).flat(), ...[...every, ...some].map((code) => `38;${code}`)];
  const grounds = ["", "41", "47", "100", "48;5;226", "48;5;244", "48;2;0;0;0", "48;2;119;119;119", "48;2;255;255;255"];
  for (const text of texts) {
    for (const ground of grounds) {
      for (const flags of ["", "2", "7", "2;7"]) {
        const style = [flags, text, ground].filter(Boolean).join(";");
        if (!style) continue;
        const { color, backgroundColor } = paint(style).css;
        for (const theme of ["light", "dark"]) {
          const front = color ? pair(color)[theme] : TEXTS[theme];
          for (const back of backgroundColor ? [pair(backgroundColor)[theme]] : BACKS[theme]) {
            assert.ok(contrast(front, back) >= 4.5, `${style} on ${theme}: ${front} on ${back} is ${contrast(front, back)}`);
          }
        }
      }
    }
  }
});

test("a colour that can be read stays as it is", () => {
  assert.deepEqual(readable([255, 255, 255], [0, 0, 0]), [255, 255, 255]);
  assert.equal(paint("38;2;1;2;3;48;2;250;250;250").css.color, "light-dark(rgb(1, 2, 3), rgb(1, 2, 3))");
  assert.equal(paint("38;2;1;2;3;48;2;250;250;250").css.backgroundColor, "light-dark(rgb(250, 250, 250), rgb(250, 250, 250))");
});

test("a background keeps the colour of its text", () => {
  const { light } = pair(paint("93;41").css.color);
  assert.ok(light[0] > 200 && light[1] > 180 && light[2] < 230, String(light));
});

test("inverse swaps what is there", () => {
  const plain = paint("7").css;
  assert.deepEqual([pair(plain.color), pair(plain.backgroundColor)], [{ light: [255, 255, 255], dark: [16, 19, 24] }, { light: [34, 38, 45], dark: [214, 218, 225] }]);
  assert.deepEqual(pair(paint("7;38;2;250;250;250;48;2;1;1;1").css.backgroundColor).dark, [250, 250, 250]);
});

test("lines under, through and over text, of their kind and colour", () => {
  assert.deepEqual(paint("4:3;58;2;1;2;3").css, { textDecorationLine: "underline", textDecorationStyle: "wavy", textDecorationColor: "rgb(1, 2, 3)" });
  assert.deepEqual(paint("1;3;4;9;53"), { classes: "b i", css: { textDecorationLine: "underline line-through overline" } });
});

test("the table of 256 has its cube and its greys", () => {
  assert.deepEqual([16, 21, 231, 232, 255].map((n) => indexed(n).join()), ["0,0,0", "0,0,255", "255,255,255", "8,8,8", "238,238,238"]);
});

// The colours and styles of a terminal on this page. Text is always readable: a colour that would be too near to what is
// behind it is moved towards black or white until it has the contrast that WCAG 2.2 (1.4.3) asks for.

import { parts } from "./sgr.js";

const CONTRAST = 4.5;
const KNOWN_MOST = 2000;

// Of the theme's 16 colours the text, on light and on dark; and what they are behind text, or on another colour.
const TEXT = {
	light: "24292f b42318 116329 7d4e00 0550ae 8250df 0b6470 57606a 57606a cf222e 1a7f37 8a5d00 0969da 9a4fe0 1b7c83 424a53",
	dark: "8b949e ff7b72 56d364 e3b341 79c0ff d2a8ff 56d4dd c9d1d9 8b949e ffa198 7ee787 f2cc60 a5d6ff e2c5ff b3f0ff f0f6fc",
};
const PURE = "24292f b42318 1a7f37 d4a72c 0969da 8250df 1b7c83 d0d7de 57606a cf222e 2da44e e3b341 54aeff c297ff 76e3ea f6f8fa";
// `near`: of the backgrounds that a row can have (log.css) the one nearest to the text.
const THEMES = {
	light: { text: hex("22262d"), back: hex("ffffff"), near: hex("f4f5f8"), colours: TEXT.light.split(" ").map(hex) },
	dark: { text: hex("d6dae1"), back: hex("101318"), near: hex("2c2a17"), colours: TEXT.dark.split(" ").map(hex) },
};
const pure = PURE.split(" ").map(hex);

const known = new Map();

/** What a style looks like: `{classes, css}`, `css` by property of a node's style. */
export function paint(style) {
	let found = known.get(style);
	if (!found) {
		if (known.size >= KNOWN_MOST) known.clear();
		known.set(style, (found = look(parts(style))));
	}
	return found;
}

function look(style) {
	const classes = [style.bold && "b", style.italic && "i", style.text && "f", style.back && "g", style.inverse && "v"];
	const css = {};
	const [light, dark] = [colours(style, THEMES.light), colours(style, THEMES.dark)];
	const both = (name) => light[name] && `light-dark(${rgb(light[name])}, ${rgb(dark[name])})`;
	if (light.text) css.color = both("text");
	if (light.back) css.backgroundColor = both("back");
	const lines = [style.underline && "underline", style.strike && "line-through", style.overline && "overline"].filter(Boolean);
	if (lines.length) css.textDecorationLine = lines.join(" ");
	const form = { "4:2": "double", "4:3": "wavy", "4:4": "dotted", "4:5": "dashed" }[style.underline];
	if (form) css.textDecorationStyle = form;
	if (style.line) css.textDecorationColor = rgb(colour(style.line, pure));
	return { classes: classes.filter(Boolean).join(" "), css };
}

/** Text and what is behind it in a theme, as `[red, green, blue]`; undefined where they are the row's own. */
function colours({ text, back, inverse, dim }, theme) {
	let [front, behind] = [text && colour(text, back || inverse ? pure : theme.colours), back && colour(back, pure)];
	if (inverse) [front, behind] = [behind ?? theme.back, front ?? theme.text];
	const ground = behind ?? theme.near;
	if (dim) front = mix(front ?? theme.text, ground, 0.35);
	if (!front && !behind) return {};
	return { text: readable(front ?? theme.text, ground), back: behind };
}

/** Of `31`, `38;5;196` or `38;2;1;2;3`. */
function colour(code, sixteen) {
	const [first, kind, ...values] = code.split(";").map(Number);
	if (kind === 2) return values;
	return kind === 5 ? indexed(values[0], sixteen) : sixteen[(first % 10) + (first >= 90 ? 8 : 0)];
}

/** One of the 256 colours. */
export function indexed(index, sixteen = pure) {
	if (index < 16) return sixteen[index];
	if (index > 231) return Array(3).fill(index * 10 - 2312);
	const cube = index - 16;
	return [Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map((step) => (step ? 55 + step * 40 : 0));
}

/** The nearest colour that can be read on a ground. */
export function readable(front, ground) {
	if (contrast(front, ground) >= CONTRAST) return front;
	const ends = [[0, 0, 0], [255, 255, 255]].filter((end) => contrast(end, ground) >= CONTRAST);
	const steps = ends.map((end) => [end, Array.from({ length: 20 }, (_, i) => (i + 1) / 20)
		.find((share) => contrast(mix(front, end, share), ground) >= CONTRAST)]);
	const [end, share] = steps.reduce((best, step) => (step[1] < best[1] ? step : best));
	return mix(front, end, share);
}

const mix = (from, to, share) => from.map((part, i) => Math.round(part + (to[i] - part) * share));

/** Between two colours (WCAG 2.2): 1 to 21. */
export function contrast(one, other) {
	const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
	return (high + 0.05) / (low + 0.05);
}

function luminance(colour) {
	const [red, green, blue] = colour.map((part) => {
		const share = part / 255;
		return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
	});
	return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

const rgb = (colour) => `rgb(${colour.join(", ")})`;

function hex(text) {
	return [0, 2, 4].map((at) => parseInt(text.slice(at, at + 2), 16));
}

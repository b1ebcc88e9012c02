// The log page: puts its parts together.

import { Api } from "./api.js";
import { formatMark, formatView, lineOf, parseView } from "./address.js";
import { Cancel } from "./cancel.js";
import { $, announce, copy, number, plural, toast } from "./dom.js";
import { Find } from "./find.js";
import { Head } from "./head.js";
import { LogMap } from "./map.js";
import { Sharing } from "./sharing.js";
import { Stream } from "./stream.js";
import { silence } from "./times.js";
import { keyOf, startUi } from "./ui.js";
import { Viewer } from "./viewer.js";

const root = $("#log");
const api = new Api(root.dataset.job);
const view = parseView(location.search);
const viewer = new Viewer(api, view, { changed, drawn });
const find = new Find(api, viewer);
const map = new LogMap(viewer);
const cancel = new Cancel(api);
const head = new Head(api, viewer, cancel);
const stream = new Stream(api, { event, connection: (state, more) => head.connection(state, more), refused: (status, why) => head.refused(status, why) });
new Sharing(api, viewer);

let missing = []; // what the stream said is missing before its next line
let lastOutput = 0;

function event(name, data) {
  if (name === "lines" || name === "message") {
    const lines = Array.isArray(data) ? data : [data];
    if (missing.length) lines[0].before = missing;
    missing = [];
    if (lines.at(-1).line > viewer.lines.last) heard(lines.at(-1));
    viewer.push(lines);
    if (find.q && find.complete) find.complete = false;
  } else if (name === "omitted") {
    missing.push({ kind: "omitted", count: data.count, line: lineOf(data.first) });
    head.omitted += data.count;
  } else if (name === "gap") {
    viewer.setGaps([{ ...data, after: lineOf(data.after) }]);
  } else if (name === "status") {
    head.status(data);
  } else if (name === "upstream") {
    head.upstream(data);
  } else if (name === "reset") {
    viewer.reset();
    toast("This job's journal was begun anew: everything follows again.");
  } else if (name === "done") {
    head.done(data);
    overview();
  } else if (name === "bye") {
    head.connection("reconnecting", { bye: true });
  }
}

function heard(line) {
  const now = Date.now();
  const sane = lastOutput === 0 && line.timestamp > now - 864e5 && line.timestamp < now;
  lastOutput = sane ? line.timestamp : now;
}

/** Everything around the log that depends on where the reader is. */
function changed() {
  const { mark, lines, fresh } = viewer;
  $("#follow").setAttribute("aria-pressed", viewer.following);
  const button = $("#fresh");
  button.hidden = viewer.following || !lines.last;
  button.lastElementChild.textContent = fresh ? `${number(fresh)} new` : "To the end";
  $("#count").textContent = lines.last ? plural(lines.last - lines.first + 1, "line") : "";
  $("#empty").hidden = lines.items.length > 0 || !lines.atEnd;
  $("#markbar").hidden = !mark;
  if (mark) {
    $("#markbar b").textContent = mark.last > mark.first ? `Lines ${number(mark.first)}–${number(mark.last)}` : `Line ${number(mark.first)}`;
    for (const format of ["text", "ndjson"]) {
      $(`#mark-${format}`).href = api.url("/logs", { ...viewer.range(mark), format, download: true });
    }
  }
  head.truth();
}

function drawn() {
  map.here();
  if (find.q) find.paint();
}

function save() {
  history.replaceState(null, "", location.pathname + formatView(view) + formatMark(viewer.mark));
}

function look() {
  $("#level").value = view.level;
  $("#time").value = view.time;
  $("#find").value = view.q;
  for (const [id, on] of [["#wrap", view.wrap], ["#regex", view.regex], ["#sampled", view.sampled]]) $(id).setAttribute("aria-pressed", on);
}

function search() {
  const text = $("#find").value;
  if (/^:\d+$/.test(text)) return goto(Number(text.slice(1)));
  view.q = text;
  save();
  find.run(view.q, view.regex);
}

async function goto(line) {
  const there = await viewer.goto(line);
  if (!there) return toast(`There is no line ${number(line)}: the last is ${number(viewer.lines.last)}.`, { bad: true });
  viewer.setMark(line, line);
}

function toolbar() {
  const on = (id, type, act) => $(id).addEventListener(type, act);
  let typed = 0;
  on("#find", "input", () => {
    clearTimeout(typed);
    if (!/^:\d*$/.test($("#find").value)) typed = setTimeout(search, 250);
  });
  on("#find", "keydown", (event) => {
    if (event.key === "Escape") root.focus();
    if (event.key !== "Enter") return;
    event.preventDefault();
    clearTimeout(typed);
    if ($("#find").value === view.q && find.matches.length) find.step(event.shiftKey ? -1 : 1);
    else search();
  });
  const toggle = (name, act) => on(`#${name}`, "click", () => {
    view[name] = !view[name];
    look();
    save();
    act();
  });
  toggle("wrap", () => viewer.look());
  toggle("regex", () => view.q && search());
  toggle("sampled", () => {
    stream.stop();
    stream.sampled = view.sampled;
    head.omitted = 0;
    viewer.reset();
    viewer.follow(true);
    stream.doneId = "";
    stream.start();
  });
  on("#time", "change", () => {
    view.time = $("#time").value;
    save();
    viewer.look();
  });
  on("#level", "change", async () => {
    view.level = $("#level").value;
    save();
    await viewer.filter(view.level);
    if (view.q) search();
  });
  on("#find-next", "click", () => find.step(1));
  on("#find-prev", "click", () => find.step(-1));
  on("#err-next", "click", () => viewer.hop("error", 1));
  on("#err-prev", "click", () => viewer.hop("error", -1));
  on("#follow", "click", () => (viewer.following ? viewer.follow(false) : viewer.toEnd()));
  on("#fresh", "click", () => viewer.toEnd());
  on("#mark-copy", "click", () => viewer.copyMark());
  on("#mark-link", "click", () => copy(location.href, "The link is in the clipboard"));
  on("#mark-clear", "click", () => viewer.setMark(0));
}

function keys(event) {
  if ((event.ctrlKey || event.metaKey) && !event.altKey) {
    if (event.key === "f") {
      event.preventDefault();
      $("#find").select();
    } else if (event.key === "a" && root.contains(document.activeElement)) {
      event.preventDefault();
      viewer.setMark(viewer.lines.first, viewer.lines.last);
    } else if (event.key === "c" && viewer.mark && document.getSelection().isCollapsed) viewer.copyMark();
    return;
  }
  if ($("dialog[open]")) return;
  const key = keyOf(event);
  if (key === "End" || key === "G") viewer.toEnd();
  else if (key === "Home" || key === "g") viewer.toStart();
  else if (key === "Escape") viewer.setMark(0);
  else return;
  event.preventDefault();
}

async function overview() {
  try {
    const data = await api.json("/overview", { parts: 120 });
    head.overview(data);
    map.draw(data.parts);
  } catch {
    // the stream says what is wrong
  }
}

function seen() {
  if (document.hidden) {
    viewer.leave();
    stream.stop();
    head.connection("paused", {});
    return;
  }
  viewer.returned = true;
  if (!head.ended) stream.start();
  overview();
}

startUi();
look();
root.querySelector(".sheet").replaceChildren();
viewer.begin();
toolbar();
document.addEventListener("keydown", keys);
document.addEventListener("visibilitychange", seen);
addEventListener("hashchange", () => viewer.hash());
addEventListener("online", () => stream.retry());
addEventListener("pagehide", () => stream.stop());
addEventListener("pageshow", (event) => event.persisted && seen());
stream.sampled = view.sampled;
head.begin();
if (document.hidden) seen();
else stream.start();
if (view.level) viewer.filter(view.level);
if (view.q) find.run(view.q, view.regex);
setInterval(() => !document.hidden && !head.ended && overview(), 5000);
setInterval(() => {
  head.tick();
  const quiet = lastOutput && !head.ended && head.live ? silence(Date.now() - lastOutput, viewer.usual()) : "";
  $("#silence").textContent = quiet;
}, 1000);
overview();
announce("");

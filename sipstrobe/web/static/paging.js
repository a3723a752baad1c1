// The view of pages: who is heard before whom, and the editor of one source.

import { ask, attempt } from "./api.js";
import { $, askAgain, h, keep, setText } from "./dom.js";
import { Form } from "./form.js";
import { setLevel } from "./meter.js";
import * as receiving from "./receiving.js";
import { Section } from "./settings.js";
import * as views from "./views.js";
import { level } from "./words.js";

const SHOWN = 50; // sources that are listed at first, and so many more each time
const MANY = 12; // sources from which on somebody may want to find one
const FAINT = -90; // dBFS
const STALE = 412;
const OWN = ["sip", "stream", "clip"]; // sounds of the device, in the order in which they come unnamed
const STREAM = { kind: "internal", sound: "stream" }; // of which there is one, or none
const OWN_WORDS = { sip: ["Calls", "with the pages that callers leave"], stream: ["Audio streams", "over HTTP"], clip: ["Clips", ""] };
const LATENCIES = { low: "low latency", ultra_low: "ultra low latency" };
const BRIEF = ["label", "address", "port", "channel", "latency", "profile", "enabled"];

const section = new Section("multicast", () => {
  makeForms();
  show();
  receiving.show(section);
});
let ranked = []; // all that has a rank, the highest first
let live = new Map(); // by key, what is told of some
let profiles = [];
let limit = SHOWN;
let busy = Promise.resolve(); // the changes of the list, one after the other

views.add("paging", {
  enter: () => section.read(),
  state(state) {
    profiles = state.profiles.map(({ name }) => name);
    live = new Map([[keyOf(STREAM), state.stream], ...state.multicast.told.map((told) => [keyOf(told), told])]);
    receiving.showState(state.multicast);
    showRows();
  },
  events(events) {
    if (events.some(({ name, items }) => name === "device/settings" && section.concerns(items.paths))) section.read();
  },
});

// --- the list ---------------------------------------------------------------------------------

/** What the device sounds itself and the list does not name comes before all that it names. */
function everything({ sources }) {
  const named = new Set(sources.filter(({ kind }) => kind === "internal").map(({ sound }) => sound));
  return [...OWN.filter((sound) => !named.has(sound)).map((sound) => ({ kind: "internal", sound })), ...sources];
}

const keyOf = ({ kind, label, sound }) => (kind === "internal" ? `own ${sound}` : `page ${label}`);

function show() {
  ranked = everything(section.values).map((source, n) => ({ ...source, rank: n + 1 }));
  const pages = section.values.sources.filter(({ kind }) => kind !== "internal").length;
  setText($("#page-source-count"), pages ? String(pages) : "");
  $("#find-page-source").hidden = ranked.length <= MANY;
  rankInput.max = ranked.length;
  showRows();
}

function showRows() {
  const wanted = $("#find-page-source").hidden ? "" : $("#find-page-source").value.trim().toLowerCase();
  const found = ranked.filter((source) => !wanted || searched(source).includes(wanted));
  const listed = found.filter((source, n) => n < limit || state(source) !== "idle");
  const focused = document.activeElement;
  keep($("#page-sources"), listed, keyOf, makeRow, updateRow);
  refocus(focused);
  $("#more-page-sources").hidden = found.length <= limit;
}

/** What moves loses the focus, and so does the button that leads no further. */
function refocus(element) {
  const row = element?.closest("#page-sources > li");
  if (!row) return;
  const wanted = element.disabled ? $(`[data-by='${-element.dataset.by}']`, row) : element;
  if (document.activeElement !== wanted) wanted.focus();
}

const searched = ({ label = "", address = "", sound }) => `${label} ${address} ${sound ? OWN_WORDS[sound][0] : ""}`.toLowerCase();
const state = (source) => live.get(keyOf(source))?.state ?? "idle";

$("#find-page-source").addEventListener("input", showRows);
$("#more-page-sources").addEventListener("click", () => {
  limit += SHOWN;
  showRows();
});

function makeRow(source) {
  const key = keyOf(source);
  const own = source.kind === "internal";
  const name = own ? OWN_WORDS[source.sound][0] : source.label;
  const step = (by, sign, words) => h("button.quiet", { "data-by": by, "aria-label": `${words} ${name}`, title: words, onclick: () => moveBy(key, by) }, sign);
  const on = h("input", { type: "checkbox", "aria-label": `Listen to ${name}`, onchange: () => switchTo(key, on.checked) });
  return h("li.page-source", {},
    h("b.rank", { title: "rank" }),
    h("div.what", {}, h("strong", {}, name), h("small.where"), h("small.talker")),
    h("span.effect", {}),
    h("div.meter", { role: "meter", "aria-label": "Level", "aria-valuemin": -60, "aria-valuemax": 0 }, h("i")),
    h("div.acts", { "data-operator": true },
      own ? "" : h("label.switch", {}, on, h("span")),
      step(-1, "↑", "Move up"), step(1, "↓", "Move down"),
      own ? "" : h("button.quiet", { "aria-label": `Edit ${name}`, onclick: () => edit(key) }, "Edit")));
}

function updateRow(row, source) {
  const told = live.get(keyOf(source));
  const now = source.enabled === false ? "off" : state(source);
  row.dataset.state = now;
  row.classList.toggle("broken", Boolean(told?.problem));
  setText($(".rank", row), String(source.rank));
  setText($(".where", row), whereOf(source));
  setText($(".talker", row), talkerOf(told));
  setText($(".effect", row), { active: "heard", hidden: "silent", off: "off" }[now] ?? "");
  $("[data-by='-1']", row).disabled = source.rank === 1;
  $("[data-by='1']", row).disabled = source.rank === ranked.length;
  if (source.kind !== "internal") $(".switch input", row).checked = source.enabled;
  const meter = $(".meter", row);
  meter.hidden = now !== "active" || !isLoud(told);
  if (!meter.hidden) setLevel(meter, told.level_db);
}

function whereOf(source) {
  if (source.kind === "internal") return OWN_WORDS[source.sound][1];
  const address = source.address.includes(":") ? `[${source.address}]` : source.address;
  return [
    source.kind === "desk_phones" && `Desk phones, channel ${source.channel}`,
    `${address}:${source.port}`, source.interface, LATENCIES[source.latency],
    source.srtp_key && "encrypted", source.profile,
  ].filter(Boolean).join(" · ");
}

/** What is silent is not decoded, so that nobody knows how loud it is. */
const isLoud = (told) => typeof told?.level_db === "number" && told.level_db > FAINT;

function talkerOf(told) {
  if (!told) return "";
  return [
    told.problem,
    told.caller_id,
    told.state !== "idle" && told.sender && `from ${told.sender}`,
    isLoud(told) && level(told.level_db),
    typeof told.offset_ms === "number" && `${told.offset_ms > 0 ? "+" : ""}${told.offset_ms.toFixed(1).replace("-", "−")} ms from the common clock`,
  ].filter(Boolean).join(" · ");
}

// --- changes of the list ----------------------------------------------------------------------

/** Store a list of all that has a rank: what has been unnamed and still comes first stays so. */
async function store(list) {
  const unnamed = everything(section.values).slice(0, -section.values.sources.length || undefined).map(keyOf);
  const sources = list.map(({ rank, ...source }) => source);
  while (sources.length && unnamed.includes(keyOf(sources[0])))
    unnamed.splice(0, unnamed.indexOf(keyOf(sources.shift())) + 1); // in the order in which they come unnamed
  try {
    await section.change({ sources }, true);
  } catch (problem) {
    if (problem.status === STALE) await section.read();
    throw Object.assign(problem, { offset: list.length - sources.length });
  }
}

/** Change the list as it is when all changes before have been made. */
function later(change) {
  const done = busy.then(() => attempt(async () => {
    const list = change([...ranked]);
    if (list) await store(list);
  }));
  busy = done;
  return done;
}

const moveBy = (key, by) => later((list) => {
  const at = list.findIndex((source) => keyOf(source) === key);
  const to = at + by;
  if (at < 0 || to < 0 || to >= list.length) return null;
  list.splice(to, 0, ...list.splice(at, 1));
  return list;
});

const switchTo = (key, enabled) => later((list) => list.map((source) => (keyOf(source) === key ? { ...source, enabled } : source)));

// --- one source -------------------------------------------------------------------------------

const editor = $("#page-source");
const rankField = $("#rank-field");
const rankInput = $("#source-rank");
const forms = {}; // by kind
let edited = null; // the key of the source that the editor shows; null: a new one
let kind = "multicast";

function makeForms() {
  const definitions = section.schema.$defs;
  for (const [name, struct] of [["multicast", "PageSource"], ["desk_phones", "DeskPhoneSource"]]) {
    if (forms[name]) continue;
    forms[name] = new Form(h("div"), definitions[struct], { brief: BRIEF, others: ["id"], choices: { profile: () => profiles } });
  }
}

function open(values, rank) {
  kind = values.kind;
  $("#source-fields").replaceChildren(forms[kind].place);
  $("[data-field=enabled]", editor).before(rankField);
  forms[kind].fill(values);
  rankInput.defaultValue = rankInput.value = rank;
  setText($("legend", editor), edited ? `Edit ${values.label}` : kind === "multicast" ? "New source" : "New source of desk phones");
  $("#delete-page-source").parentElement.hidden = !edited;
  setText($(".other-error", editor), "");
  editor.hidden = false;
  editor.scrollIntoView({ block: "nearest" });
  $("[name=label]", editor).focus();
}

function edit(key) {
  edited = key;
  const { rank, ...source } = ranked.find((one) => keyOf(one) === key);
  open(source, rank);
}

function begin(values) {
  edited = null;
  open(values, ranked.length + 1);
  rankInput.max = ranked.length + 1;
}

$("#add-page-source").addEventListener("click", () => begin({ kind: "multicast" }));
$("#add-desk-phones").addEventListener("click", () => begin({ kind: "desk_phones" }));

function close() {
  const row = [...$("#page-sources").children].find((child) => child.dataset.key === edited);
  editor.hidden = true;
  (row ? $("button:last-child", row) : $("#add-page-source")).focus();
}

$("#cancel-page-source").addEventListener("click", close);
editor.addEventListener("keydown", ({ key }) => { if (key === "Escape") close(); });

editor.addEventListener("submit", async (event) => {
  event.preventDefault();
  await busy;
  const now = ranked.find((source) => keyOf(source) === edited);
  if (edited && !now) {
    begin(forms[kind].read());
    setText($(".other-error", editor), "It has been deleted meanwhile; save to add it again");
    return;
  }
  const list = ranked.filter((source) => source !== now);
  const wanted = forms[kind].read(now);
  const rank = now && rankInput.value === rankInput.defaultValue ? now.rank : Number(rankInput.value);
  const at = Math.min(Math.max(1, Math.round(rank) || list.length + 1), list.length + 1) - 1;
  list.splice(at, 0, wanted);
  try {
    await store(list);
    edited = keyOf(wanted);
    close();
  } catch (problem) {
    const left = forms[kind].refuse(problem.problems ?? [problem], `/multicast/sources/${at - (problem.offset ?? 0)}/`);
    setText($(".other-error", editor), left.join("; "));
    ($("[aria-invalid=true]", editor) ?? $("button.primary", editor)).focus();
  }
});

const remover = $("#delete-page-source");
remover.addEventListener("click", () => askAgain(remover, async () => {
  const key = edited;
  try {
    await store(ranked.filter((source) => keyOf(source) !== key));
    close();
  } catch (problem) {
    setText($(".other-error", editor), problem.message);
  }
}));

// --- a session description --------------------------------------------------------------------

const description = $("#page-sdp");
description.addEventListener("submit", async (event) => {
  event.preventDefault();
  const error = $(".error", description);
  setText(error, "");
  try {
    const { source } = await ask("POST", "/api/v1/multicast/sdp", description.elements.sdp.value, { "Content-Type": "application/sdp" });
    begin(source);
    description.reset();
  } catch (problem) {
    setText(error, problem.message);
  }
});

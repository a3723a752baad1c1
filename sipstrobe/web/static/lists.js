// The parts of the page that list something: what runs, profiles, triggers, services, events.

import { command } from "./api.js";
import { $, h, keep, setText } from "./dom.js";
import { setLevel } from "./meter.js";
import { deviceNow } from "./strobe.js";
import { COLORS, isQuiet, kindWords, linkWords, shortCause, span, when } from "./words.js";

const EVENTS_MAX = 60;
const RULES_MAX = 100;
const CHECK = 13; // the priority of the health check
const MAINTENANCE = 11; // of maintenance mode, in which nothing sounds
const FAINT = -50; // dBFS; of a voice, less is silence
const SYSTEM = { 11: "System", 12: "System", 13: "System" };

// --- what runs on each function ---------------------------------------------------------------

export function showFunctions(functions, now) {
  for (const { name, operations } of functions) {
    const card = $(`.list[data-function="${name}"]`);
    keep($("ol", card), operations, (o) => o.id + o.pattern + o.priority, makeOperation, (row, o) =>
      updateOperation(row, o, now));
    card.classList.toggle("busy", operations.length > 0);
  }
  const winner = (name) => functions.find((f) => f.name === name)?.operations.find((o) => o.shown);
  const light = winner("SignalingLED");
  setText($("#shown"), light ? [light.pattern, light.colors.join(", ")].filter(Boolean).join(" · ") : "Dark");
  $("#strobe").setAttribute("aria-label", light ? `The light shows ${light.pattern}` : "The light is dark");
}

/** What is heard of the device: its siren, clips and voices. */
export function showSounding(functions, clips, { sources = [] }) {
  const siren = functions.find((f) => f.name === "AudioSpeaker")?.operations.find((o) => o.shown && o.priority !== MAINTENANCE);
  const silenced = new Set(sources.filter(({ gain }) => gain === 0).map(({ owner }) => owner));
  const played = clips.filter(({ playback, clip }) => !silenced.has(`clip ${playback}: ${clip}`));
  const voice = sources.some(({ kind, rms_db }) => (kind === "call" || kind === "page") && rms_db > FAINT);
  const heard = [siren?.pattern, ...new Set(played.map(({ clip }) => clip)), voice && "Voice"].filter(Boolean);
  setText($("#sounding"), heard.join(" · ") || "Silent");
  $("#waves").classList.toggle("on", heard.length > 0);
}

function makeOperation() {
  return h("li.operation", {},
    h("b.rank"), h("div.what", {}, h("strong"), h("span.swatches"), h("span.profile")),
    h("time.left"), h("span.now", {}, "now"),
    h("details.why", {}, h("summary"), h("ol.chain")));
}

function updateOperation(row, o, now) {
  row.classList.toggle("shown", o.shown);
  row.classList.toggle("system", o.priority > 10);
  setText($(".rank", row), String(o.priority));
  $(".rank", row).title = SYSTEM[o.priority] ? "priority of the system" : "priority";
  setText($("strong", row), o.pattern);
  swatches($(".swatches", row), o.colors);
  setText($(".profile", row), o.profile);
  row.dataset.ends = o.seconds_left === null ? "" : now + o.seconds_left;
  showLeft(row);
  setText($("summary", row), o.why.length ? shortCause(o.why) : "");
  chain($(".chain", row), o.why);
}

function showLeft(row) {
  const left = row.dataset.ends ? Number(row.dataset.ends) - deviceNow() : null;
  setText($(".left", row), left === null ? "" : span(left));
}

function swatches(place, colors) {
  keep(place, colors, (_, n) => n, () => h("i"), (dot, color) => {
    dot.title = color;
    dot.style.background = COLORS[color] ?? color;
  });
}

// --- profiles, triggers, services -------------------------------------------------------------

export function showProfiles(profiles) {
  $(".profiles").classList.toggle("busy", profiles.length > 0);
  keep($("#profiles"), profiles, (p) => p.name, makeProfile, updateProfile);
}

function makeProfile({ name }) {
  const row = h("li.profile-row", {},
    h("div.what", {}, h("strong", {}, name), h("span.swatches"), h("small")),
    h("button.start", { "data-operator": true, onclick: () =>
      command(row.classList.contains("running") ? "stop-profile" : "start-profile", { profile: name }) }));
  return row;
}

function updateProfile(row, profile) {
  row.classList.toggle("running", profile.running);
  swatches($(".swatches", row), profile.light?.colors ?? []);
  const rank = (part) => `${part.pattern} (${part.priority})`;
  const parts = [profile.light && rank(profile.light), profile.siren && rank(profile.siren)];
  setText($("small", row), parts.filter(Boolean).join(" · ") || profile.description);
  row.title = profile.description;
  const button = $("button", row);
  setText(button, profile.running ? "Stop" : "Start");
  button.setAttribute("aria-label", `${profile.running ? "Stop" : "Start"} ${profile.name}`);
}

export function showTriggers(triggers) {
  $(".inputs").classList.toggle("busy", triggers.length > 0);
  keep($("#triggers"), triggers, (t) => t.trigger, ({ trigger }) => {
    const button = h("button.trigger", { "aria-pressed": "false", onclick: () =>
      command("set-manual-trigger", { trigger, active: button.getAttribute("aria-pressed") !== "true" }) });
    return h("li", {}, button);
  }, (row, { active, name }) => {
    setText(row.firstElementChild, name);
    row.firstElementChild.disabled = document.body.classList.contains("viewer");
    row.firstElementChild.setAttribute("aria-pressed", String(active));
  });
}

/** Each rule, whether it is active, who has made it, and what it did last; active ones first. */
export function showRules(rules) {
  const ordered = rules.toSorted((a, b) => Number(b.active) - Number(a.active));
  $(".rules").classList.toggle("busy", rules.length > 0);
  setText($("#rule-count"), rules.length > 1 ? String(rules.length) : "");
  keep($("#rules"), ordered.slice(0, RULES_MAX), (r) => r.name, ({ name }) =>
    h("li.rule", {}, h("i"), h("details", {}, h("summary", {}, name), h("ol")), h("span.source")), updateRule);
  setText($("#more-rules"), rules.length > RULES_MAX ? `… and ${rules.length - RULES_MAX} more` : "");
}

function updateRule(row, { active, enabled, source, history }) {
  row.classList.toggle("active", active);
  row.classList.toggle("off", !enabled);
  setText($(".source", row), source ? `by role: ${source}` : enabled ? "" : "off");
  keep($("ol", row), history.toReversed(), (r) => r.at + r.words, ({ words }) => h("li", {}, words), () => {});
}

/** What the last health check has found, or that one runs. */
export function showHealth(health, functions) {
  const runs = functions.some(({ operations }) => operations.some((o) => o.priority === CHECK));
  const place = $("#health");
  place.dataset.grade = runs ? "fair" : !health ? "dim" : health.errors.length ? "bad" : "good";
  setText(place, runs ? "The health check runs: each side of the light in turn, then a tone."
    : !health ? ""
    : health.errors.length ? `Health check failed at ${when(health.at)}: ${health.errors.join("; ")}`
    : `Health check passed at ${when(health.at)}`);
  $("#health-check").disabled = runs;
}

export function showSound(sound) {
  const volume = typeof sound.volume_db === "number" ? ` · volume ${sound.volume_db} dB` : "";
  setText($("#output"), sound.output ? `Sound: ${sound.output}${volume}${sound.muted ? " · muted" : ""}` : "No sound");
  showSpeakerLevel(sound.rms_db);
}

export function showSpeakerLevel(level) {
  setLevel($("#speaker-level"), level ?? -120);
}

export function showServices(services) {
  const rows = Object.entries(services).map(([name, problem]) => ({ name, problem }));
  keep($("#services"), rows, (row) => row.name, ({ name }) => h("li", {}, h("i"), h("span", {}, name), h("small")),
    (row, { problem }) => {
      row.classList.toggle("broken", Boolean(problem));
      setText($("small", row), problem || "");
    });
}

// --- events -----------------------------------------------------------------------------------

export function showEvents({ events, skipped }, time) {
  const list = $("#events");
  if (skipped) list.prepend(h("li.skipped", {}, `… ${skipped} more`));
  for (const { chain: links } of events) {
    if (isQuiet(links[0])) continue;
    list.prepend(makeEvent(links, time(links[0].at)));
  }
  while (list.children.length > EVENTS_MAX) list.lastElementChild.remove();
  $(".events").classList.toggle("busy", list.children.length > 0);
}

export function forgetEvents() {
  $("#events").replaceChildren();
}

function makeEvent(links, time) {
  const steps = h("ol.chain");
  chain(steps, links.slice(1));
  return h("li.event", { "data-topic": links[0].name.split("/")[0] },
    h("time", {}, time),
    h("details", {}, h("summary", {}, linkWords(links[0])), steps));
}

function chain(list, links) {
  keep(list, links, (link) => link.serial, (link) =>
    h("li", { "data-kind": link.kind }, h("span", {}, linkWords(link)), h("small", {}, kindWords(link))), () => {});
}

// --- what moves with time ---------------------------------------------------------------------

export function tick() {
  for (const row of document.querySelectorAll(".operation")) showLeft(row);
}

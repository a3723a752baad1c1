// The view of the sound: how loud, what plays, how long sound waits, the microphone, what was played.

import { ask, command, say } from "./api.js";
import { $, h, keep, setText } from "./dom.js";
import { setLevel } from "./meter.js";
import { partyOf } from "./parties.js";
import * as policy from "./policy.js";
import { Section } from "./settings.js";
import * as views from "./views.js";
import { decibels, kindOf, level, seconds, times, when } from "./words.js";

const DELAYS = { // what was measured -> in words
  packet_to_sound_seconds: ["From a caller's packet", "to its sound at the speaker"],
  plan_to_sound_seconds: ["From an order", "to the first sample of siren, tone or clip"],
  remove_to_silence_seconds: ["From the end", "of a sound to silence"],
};
const SHOWN = 12; // sounds of the past that are listed at first, and so many more each time
const BRIEF = 0.05; // seconds that nobody has to be told of
const OFTEN = 5000; // milliseconds between two looks at what was measured

const section = new Section("audio", policy.showOwn);
policy.onChange((rules) => section.change({ policy: rules }, true));

$("#stop-pages").addEventListener("click", () => command("stop-pages"));

let timer = 0;

views.add("sound", {
  async enter() {
    await policy.read();
    await section.read();
    readPlayed();
    readDelays();
    timer = setInterval(readDelays, OFTEN);
  },
  leave() {
    clearInterval(timer);
    deafen();
  },
  sound({ sound, microphone }) {
    show(sound);
    showMicrophone(microphone);
  },
  state({ sound, pages }) {
    showState(sound);
    showPages(pages);
  },
  events(events) {
    if (events.some(({ name, items }) => name === "device/settings" && section.concerns(items.paths))) section.read();
    if (events.some(({ name }) => name === "sound/played")) readPlayed();
  },
});

// --- what plays -------------------------------------------------------------------------------

function show(sound) {
  setLevel($("#output-level"), sound.rms_db, sound.peak_db);
  const reduced = sound.limiter_db ?? 0;
  $("#limiter").style.setProperty("--share", Math.min(1, -reduced / 12));
  setText($("#limiter-words"), reduced < -0.05 ? `Limiter ${decibels(reduced)}` : "Limiter at rest");
  $(".sources").classList.toggle("busy", sound.sources.length > 0);
  setText($("#source-count"), sound.sources_total > 1 ? String(sound.sources_total) : "");
  keep($("#sources"), sound.sources, (s) => s.owner, makeSource, updateSource);
}

function showState(sound) {
  setText($("#output-words"), sound.problem || (sound.output ? `Plays on ${sound.output}` : "No sound"));
  $("#output-words").classList.toggle("broken", Boolean(sound.problem));
  const wanted = section.values;
  const differs = wanted && (wanted.volume_db !== sound.volume_db || wanted.muted !== sound.muted);
  setText($("#volume-now"), differs ? `Just now ${sound.muted ? "muted" : decibels(sound.volume_db)}, by a program.` : "");
}

/** Pages that are taken down while they are spoken, and heard when their callers have hung up. */
function showPages({ recording, waiting, playing }) {
  const words = [
    recording.length && `${recording.length === 1 ? "A page is" : `${recording.length} pages are`} being taken down`,
    playing && "one is heard now",
    waiting.length && (waiting.length === 1 ? "one waits for its turn" : `${waiting.length} wait for their turn`),
  ].filter(Boolean).join(", ");
  $("#pages").hidden = !words;
  setText($("#pages small"), words && `${words[0].toUpperCase()}${words.slice(1)}.`);
  $("#stop-pages").hidden = !playing && !waiting.length;
}

const ECHO = {
  cancellation: "", // as the words of the setting say
  half_duplex: "The library libspeexdsp is not installed here: the microphone is softer while the speaker plays.",
};

function showMicrophone({ input, name, allowed, muted, problem, open, level_db, echo }) {
  setLevel($("#microphone-level"), level_db);
  const words = !allowed ? "Switched off for this run of the device, whatever is set."
    : !input ? "Off" : problem || (muted ? "Muted" : open ? `Hears ${name}` : "Opens when somebody listens");
  setText($("#microphone-words"), words);
  $("#listen").disabled = !allowed || !input;
  $("#microphone-words").classList.toggle("broken", Boolean(problem));
  setText($("#echo"), ECHO[echo] ?? "");
}

// Its sound, in the browser: nothing is heard before somebody asks, nor after the view is left.
let heard = null;

$("#listen").addEventListener("click", () => {
  if (heard) {
    deafen();
    return;
  }
  heard = new Audio(`/api/v1/microphone/listen?at=${Date.now()}`);
  heard.addEventListener("error", () => {
    if (!heard) return;
    deafen();
    say("The microphone cannot be heard just now.");
  });
  heard.play().catch(() => {}); // an error is told of as well
  $("#listen").setAttribute("aria-pressed", "true");
  setText($("#listen"), "Stop listening");
});

function deafen() {
  const ended = heard;
  heard = null;
  ended?.pause();
  ended?.removeAttribute("src");
  ended?.load(); // ends the request
  $("#listen").setAttribute("aria-pressed", "false");
  setText($("#listen"), "Listen");
}

/** Whose sound it is, in words; empty where the kind says it all. */
function whose({ kind, owner }) {
  if (kind === "clip") return owner.replace(/^clip \d+: /, "");
  return owner === kind || kind === "tone" ? "" : partyOf(owner);
}

function makeSource({ kind }) {
  return h("li.source", { "data-kind": kind },
    h("b.rank", { title: "priority" }), h("div.what", {}, h("strong"), h("small")), h("span.effect"),
    h("div.meter", { role: "meter", "aria-label": "Level", "aria-valuemin": -60, "aria-valuemax": 0 }, h("i")));
}

function updateSource(row, source) {
  setText($(".rank", row), String(source.rank));
  setText($("strong", row), kindOf(source.kind));
  setText($("small", row), [whose(source), source.underruns ? `ran dry ${times(source.underruns)}` : ""].filter(Boolean).join(" · "));
  const gain = source.gain > 0 ? 20 * Math.log10(source.gain) : -Infinity;
  setText($(".effect", row), gain < -90 ? "silent" : Math.abs(gain) > 0.4 ? decibels(gain) : "");
  row.classList.toggle("softer", source.ducked === true);
  row.classList.toggle("silenced", gain < -90);
  setLevel($(".meter", row), source.rms_db);
}

// --- how long sound waits ---------------------------------------------------------------------

async function readDelays() {
  let measured;
  try {
    measured = await ask("GET", "/api/v1/measures");
  } catch {
    return; // the next look comes soon
  }
  const rows = Object.entries(DELAYS).map(([name, ends]) => ({ ...measured[name], name, ends }));
  keep($("#delays"), rows, (row) => row.name, ({ ends: [from, to] }) =>
    h("li.delay", {}, h("div.what", {}, h("strong", {}, from), h("small", {}, to)), h("span.figure"), h("small.spread")), updateDelay);
}

function updateDelay(row, { count, p50, p99 }) {
  const ms = (value) => `${(1000 * value).toFixed(value < 0.0095 ? 1 : 0)} ms`;
  setText($(".figure", row), count ? ms(p50) : "–");
  setText($(".spread", row), count ? `99 of 100 within ${ms(p99)} · ${times(count)}` : "not measured yet");
}

// --- what was played --------------------------------------------------------------------------

let listed = SHOWN;
let reading = 0;

$("#more-played").addEventListener("click", () => {
  listed += SHOWN;
  readPlayed();
});

/** Read what was played, a moment after the last of several requests to do so. */
function readPlayed() {
  clearTimeout(reading);
  reading = setTimeout(async () => {
    try {
      const { played } = await ask("GET", "/api/v1/sound/played");
      $(".played").classList.toggle("busy", played.length > 0);
      $("#more-played").hidden = played.length <= listed;
      const alike = new Map(); // sounds that differ in nothing that is told, and how many so far
      keep($("#played"), played.slice(0, listed), (sound) => {
        const key = JSON.stringify(sound);
        alike.set(key, (alike.get(key) ?? 0) + 1);
        return key + alike.get(key);
      }, makePlayed, () => {});
    } catch (problem) {
      say(problem.message);
    }
  }, 200);
}

function makePlayed(sound) {
  const heard = sound.heard_seconds > 0;
  const details = [
    heard ? `heard for ${seconds(sound.heard_seconds)}` : "never heard",
    sound.ducked_seconds >= BRIEF && `softer for ${seconds(sound.ducked_seconds)}`,
    sound.hidden_seconds >= BRIEF && `silent for ${seconds(sound.hidden_seconds)}`,
    sound.delay_ms >= 0 && `first after ${sound.delay_ms.toFixed(0)} ms`,
    sound.underruns > 0 && `ran dry ${times(sound.underruns)}`,
    sound.late_periods > 0 && `output late ${times(sound.late_periods)}`,
  ];
  return h("li.record.sounded", { "data-heard": String(heard) },
    h("b.rank", { title: "priority" }, String(sound.rank)),
    h("div.party", {}, h("strong", {}, [kindOf(sound.kind), whose(sound)].filter(Boolean).join(" · ")), h("small", {}, details.filter(Boolean).join(" · "))),
    h("div.outcome", {},
      sound.first ? h("time", { datetime: sound.first, title: new Date(sound.first).toLocaleString() }, when(sound.first)) : "",
      h("small", {}, heard ? level(sound.level_db) : "")));
}

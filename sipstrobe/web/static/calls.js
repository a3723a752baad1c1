// Calls: the form that makes one, those that run, how each is heard, and those that were.

import { ask, command, say } from "./api.js";
import { sendDigits } from "./digits.js";
import { $, h, keep, setText } from "./dom.js";
import { setLevel } from "./meter.js";
import { deviceNow } from "./strobe.js";
import { party, span, when } from "./words.js";

const LAST = 8; // calls of the history that are shown at first, and so many more each time
const VERDICTS = { // one word of the device: what a person reads, and how bad it is
  ok: ["Heard", "good"], not_yet: ["Too early to say", "dim"], on_hold: ["On hold", "dim"],
  no_rtp_in: ["No sound comes", "bad"], none_out: ["Nothing can be sent", "bad"],
  one_way: ["Heard one way only", "bad"], private_address: ["Private address", "bad"],
  codec_mismatch: ["Another codec comes", "bad"], blocked_port: ["Port is blocked", "bad"],
  encryption_mismatch: ["Keys do not fit", "bad"], silent: ["Only silence comes", "fair"],
  poor: ["Poor", "fair"],
};

// --- the test call ----------------------------------------------------------------------------

const form = $("#test-call");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { to, account } = Object.fromEntries(new FormData(form));
  const error = $(".error", form);
  setText(error, "");
  try {
    await ask("POST", "/api/v1/calls", account ? { to, account } : { to });
  } catch (problem) {
    setText(error, problem.message);
    if (problem.status === 401) dispatchEvent(new Event("logged-out"));
  }
});

/** The accounts that a call can be made with; the first is the default one. */
export function showAccountChoice(registrations) {
  const names = registrations.map((r) => r.account);
  const select = $("select", form);
  select.hidden = names.length < 2;
  keep(select, ["", ...names], (name) => name, (name) => h("option", { value: name }, name || "Default account"), () => {});
}

async function act(method, path) {
  try {
    await ask(method, path);
  } catch (problem) {
    say(problem.message);
    if (problem.status === 401) dispatchEvent(new Event("logged-out"));
  }
}

$("#hang-up-all").addEventListener("click", () => command("hang-up"));

// --- those that run ---------------------------------------------------------------------------

export function showCalls(calls, now) {
  setText($("#call-count"), calls.length ? String(calls.length) : "");
  $("#hang-up-all").hidden = calls.length < 2;
  $(".calls").classList.toggle("busy", calls.length > 0);
  keep($("#calls"), calls, (call) => call.id, makeCall, (row, call) => updateCall(row, call, now));
}

function makeCall({ id }) {
  const path = `/api/v1/calls/${encodeURIComponent(id)}`;
  return h("li.call", {},
    h("span.direction"), h("div.party", {}, h("strong"), h("small")), h("span.state"), h("time.since"),
    h("div.meter", { role: "meter", "aria-label": "Level", "aria-valuemin": -60, "aria-valuemax": 0 }, h("i")),
    h("details.sound", {}, h("summary", {}, h("i"), h("b"), h("span.score"), h("small")),
      h("p.cause"), h("p.advice"), h("dl.figures")),
    h("div.buttons", { "data-operator": true },
      h("button.keys", { "aria-expanded": "false", onclick: ({ target }) => {
        const row = target.closest(".call");
        const shown = row.classList.toggle("dialling");
        target.setAttribute("aria-expanded", String(shown));
        if (shown) $(".send input", row).focus();
      } }, "Digits"),
      h("button.answer.primary", { onclick: () => act("POST", `${path}/answer`) }, "Answer"),
      h("button.hang-up", { onclick: () => act("DELETE", path) }, "Hang up")),
    h("form.send", { "data-operator": true, onsubmit: (event) => {
      event.preventDefault();
      sendDigits(id, $("input", event.target), $(".error", event.target));
    } },
      h("input", { "aria-label": "Digits", placeholder: "1234#", required: true, maxlength: 64, autocomplete: "off", inputmode: "tel" }),
      h("button", {}, "Send"), h("p.error", { role: "alert" })));
}

function updateCall(row, call, now) {
  const inward = call.direction === "incoming";
  setText($(".direction", row), inward ? "↘" : "↗");
  $(".direction", row).title = inward ? "incoming" : "outgoing";
  setText($("strong", row), party(call.remote_uri));
  const to = call.extension || party(call.local_uri);
  setText($(".party small", row), [inward ? `to ${to}` : `as ${to}`, call.transport, call.account].filter(Boolean).join(" · "));
  setText($(".state", row), call.state);
  row.dataset.state = call.state;
  row.dataset.since = now - call.seconds;
  setText($(".since", row), span(call.seconds));
  setLevel($(".meter", row), call.level_db);
  $(".keys", row).hidden = call.state !== "active";
  $(".send", row).hidden = call.state !== "active";
  $(".answer", row).hidden = !(call.state === "ringing" && inward);
  updateSound($(".sound", row), call);
}

function updateSound(place, call) {
  const { audio } = call;
  const running = call.state === "active" || call.state === "pin";
  place.hidden = !call.codec;
  const verdict = audio?.verdict ?? "not_yet";
  place.dataset.grade = VERDICTS[verdict]?.[1] ?? "dim";
  setText($("b", place), audio || running ? wordsOf(verdict) : "Not answered yet");
  setText($(".score", place), audio?.mos ? `MOS ${audio.mos.toFixed(1)}` : "");
  setText($("small", place), [call.codec, audio?.encryption ? "encrypted" : ""].filter(Boolean).join(" · "));
  setText($(".cause", place), audio?.words ?? "");
  setText($(".advice", place), audio?.advice ?? "");
  const figures = Object.entries(audio ? figuresOf(call, audio) : { Packets: packets(call.packets_received, call.packets_lost) });
  keep($(".figures", place), figures, ([name]) => name, ([name]) =>
    h("div", {}, h("dt", {}, name), h("dd")), (row, [, value]) => setText($("dd", row), value));
}

function figuresOf(call, audio) {
  const figures = {
    "Received": packets(call.packets_received, call.packets_lost),
    "Missing lately": `${percent(audio.loss)} lost, ${percent(audio.discard)} too late`,
    "Jitter": `${call.jitter_ms.toFixed(1)} ms`,
  };
  if (audio.burst_density) figures["Bursts of loss"] = `${percent(audio.burst_density)} over ${audio.burst_ms} ms`;
  if (audio.round_trip_ms !== null) figures["Round trip"] = `${audio.round_trip_ms.toFixed(0)} ms`;
  figures["Sent"] = `${audio.sent.toLocaleString("en")} packets`;
  if (audio.round_trip_ms !== null || audio.remote_mos !== null)
    figures["Other side"] = [`${percent(audio.remote_loss)} lost`, audio.remote_mos === null ? "" : `MOS ${audio.remote_mos.toFixed(1)}`].filter(Boolean).join(", ");
  if (audio.source) figures["Media with"] = audio.source;
  if (audio.way) figures["Way"] = audio.way;
  if (audio.encryption) figures["Encryption"] = audio.encryption;
  return figures;
}

const wordsOf = (verdict) => VERDICTS[verdict]?.[0] ?? verdict;
const percent = (share) => `${(100 * share).toFixed(share && share < 0.1 ? 1 : 0)} %`;

function packets(received, lost) {
  const all = received + lost;
  return `${received.toLocaleString("en")} packets, ${lost ? `${lost} lost (${((100 * lost) / all).toFixed(1)} %)` : "none lost"}`;
}

export function showCallLevels(levels) {
  for (const row of $("#calls").children) {
    const level = levels[row.dataset.key];
    if (level !== undefined) setLevel($(".meter", row), level);
  }
}

export function tick() {
  for (const row of $("#calls").children)
    setText($(".since", row), span(deviceNow() - Number(row.dataset.since)));
}

// --- those that were --------------------------------------------------------------------------

let shown = LAST;
let reading = 0;

$("#more-calls").addEventListener("click", () => {
  shown += LAST;
  readHistory();
});

/** Read the last calls, a moment after the last of several requests to do so. */
export function readHistory() {
  clearTimeout(reading);
  reading = setTimeout(async () => {
    try {
      const { calls, next } = await ask("GET", `/api/v1/history/calls?limit=${shown}`);
      showHistory(calls.filter((call) => call.ended), next !== null);
    } catch {
      $("#more-calls").hidden = true; // what is shown stays; the next call asks again
    }
  }, 300);
}

/** Nobody answers any more; whoever connects again reads it anew. */
export function stopReading() {
  clearTimeout(reading);
}

function showHistory(calls, more) {
  $(".history").classList.toggle("busy", calls.length > 0);
  $("#more-calls").hidden = !more;
  keep($("#history"), calls, (call) => call.id, makeRecord, () => {});
}

function makeRecord(call) {
  const inward = call.direction === "incoming";
  const heard = call.answered && call.verdict;
  const lasted = call.answered ? span((Date.parse(call.ended) - Date.parse(call.answered)) / 1000) : "";
  const details = [lasted, call.extension && inward ? `to ${call.extension}` : "", call.encryption && "encrypted", heard ? "" : call.words];
  const verdict = h("span.verdict", { "data-grade": VERDICTS[heard]?.[1] ?? "dim" },
    h("i"), heard ? wordsOf(call.verdict) : reasonOf(call));
  return h("li.record", { title: call.words },
    h("span.direction", { title: inward ? "incoming" : "outgoing" }, inward ? "↘" : "↗"),
    h("div.party", {}, h("strong", {}, party(call.remote_uri)), h("small", {}, details.filter(Boolean).join(" · "))),
    h("div.outcome", {},
      h("time", { datetime: call.started, title: new Date(call.started).toLocaleString() }, when(call.started)),
      verdict, call.mos ? h("small", { title: "Mean opinion score" }, `MOS ${call.mos.toFixed(1)}`) : ""));
}

const REASONS = { denied: "refused", no_answer: "no answer", busy: "busy", failed: "failed", interrupted: "interrupted" };
const reasonOf = (call) => REASONS[call.reason] ?? "given up";

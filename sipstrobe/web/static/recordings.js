// What was recorded: of the speaker, the microphone or a call.

import { ask, attempt, command, say } from "./api.js";
import { $, askAgain, h, keep, setText } from "./dom.js";
import { showQuota } from "./meter.js";
import { bytes, party, seconds, when } from "./words.js";

const PATH = "/api/v1/recordings";
const form = $("#record");
const SOURCES = { speaker: "Speaker", microphone: "Microphone", call: "Call" };
let recordings = [];
let quotaMb = 0;

/** What can be recorded: the speaker, the microphone, and each call that is active. */
export function showCalls(calls) {
  const active = calls.filter(({ state }) => state === "active");
  const sources = [["speaker", "The speaker"], ["microphone", "The microphone"],
    ...active.map(({ id, remote_uri }) => [`call ${id}`, `Call with ${party(remote_uri)}`])];
  keep(form.elements.source, sources, ([value]) => value, ([value, words]) => h("option", { value }, words), () => {});
}
showCalls([]);

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const [source, call] = form.elements.source.value.split(" ");
  try {
    await ask("POST", "/api/v1/commands/start-recording", call ? { source, call } : { source });
    setText($(".error", form), "");
  } catch (problem) {
    setText($(".error", form), problem.message);
  }
});

/** running: what is being recorded; each has a file a moment after it has begun. */
export function showRunning(running) {
  const listed = new Set(recordings.filter(({ active }) => active).map(({ name }) => name));
  if (running.length !== listed.size || !running.every(({ recording }) => listed.has(recording))) read();
  for (const { recording, source, seconds: length } of running) {
    const row = [...$("#recordings").children].find(({ title }) => title === recording);
    if (row) setText($("small", row), `${SOURCES[source] ?? source} · ${seconds(length)} so far`);
  }
}

/** What was said in a room or a call is not for everybody who may look at the device. */
export async function read() {
  if (document.body.classList.contains("viewer")) return;
  let told;
  try {
    told = await ask("GET", PATH);
  } catch (problem) {
    say(problem.message);
    return;
  }
  recordings = told.recordings;
  $(".recorded").classList.toggle("busy", recordings.length > 0);
  keep($("#recordings"), recordings, (r) => `${r.name} ${r.active}`, makeRecording, updateRecording);
  showSpace();
}

/** quota: megabytes that recordings may have. */
export function showSpace(quota = quotaMb) {
  quotaMb = quota;
  showQuota($("#recording-quota"), recordings.reduce((all, { size }) => all + size, 0), 1e6 * quotaMb);
}

function makeRecording({ name, active }) {
  const path = `${PATH}/${encodeURIComponent(name)}`;
  const remove = h("button", { "data-operator": true, onclick: () => askAgain(remove, () => attempt(async () => {
    await ask("DELETE", path);
    await read();
  })) }, "Delete");
  const acts = active
    ? [h("button", { "data-operator": true, onclick: () => command("stop-recording", { recording: name }) }, "Stop")]
    : [h("a.button", { href: path, download: "" }, "Download"), remove];
  return h(active ? "li.recording.active" : "li.recording", {},
    h("div.what", {}, h("strong"), h("small")), h("div.acts", {}, ...acts));
}

function updateRecording(row, { name, began, source, seconds: length, size, active }) {
  setText($("strong", row), when(began));
  row.title = name;
  if (!active || !$("small", row).textContent) setText($("small", row), [SOURCES[source] ?? source, active ? "is being recorded" : seconds(length), bytes(size)].join(" · "));
}

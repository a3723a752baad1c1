// The view of clips: what there is and how loud it is, adding, playing, links, and what was recorded.

import { ask, command, say } from "./api.js";
import { $, askAgain, h, keep, setText } from "./dom.js";
import { showQuota } from "./meter.js";
import * as recordings from "./recordings.js";
import { Section, slide } from "./settings.js";
import * as upload from "./upload.js";
import * as views from "./views.js";
import { bytes, seconds, tenths } from "./words.js";

const PATH = "/api/v1/clips";
const STANDS_OUT = 4; // LU from the middle of the others: somebody will notice
const LOUDEST = 0; // dBTP: above that it is distorted, by most players
const VOLUMES = { least: -30, most: 20 }; // dB of one playback

const section = new Section("audio", ({ recording_quota_mb }) => {
  show();
  recordings.showSpace(recording_quota_mb);
});
let clips = [];
let playing = new Set(); // names

views.add("clips", {
  async enter() {
    await section.read();
    await read();
    recordings.read();
  },
  state(state) {
    recordings.showCalls(state.calls);
    recordings.showRunning(state.recordings);
  },
  events(events) {
    const names = new Set(events.map(({ name }) => name));
    if (events.some(({ name, items }) => name === "device/settings" && section.concerns(items.paths))) section.read();
    if (events.some(({ name, items }) => name === "device/settings" && items.paths.includes("/clips"))) read();
    if (names.has("sound/recording")) recordings.read();
    for (const { name, items } of events) if (name === "sound/clip") playing[items.playing ? "add" : "delete"](items.clip);
    if (names.has("sound/clip")) showPlaying();
  },
});

upload.begin(read, () => clips.map(({ name }) => name));
$("#stop-clips").addEventListener("click", () => command("stop-clip"));

async function read() {
  let told;
  try {
    told = await ask("GET", PATH);
  } catch (problem) {
    say(problem.message);
    return;
  }
  clips = told.clips;
  playing = new Set(clips.filter((clip) => clip.playing).map((clip) => clip.name));
  show();
  showQuota($("#clip-quota"), told.used_bytes, told.quota_bytes);
  setText($("#accepted"), told.accepted);
}

function show() {
  $(".clips").classList.toggle("busy", clips.length > 0);
  setText($("#clip-count"), clips.length > 1 ? String(clips.length) : "");
  keep($("#clips"), clips, (clip) => clip.number, makeClip, updateClip);
  showPlaying();
}

/** What people will notice when they hear it after the other clips that were added. */
function standsOut(clip) {
  const others = clips.filter((other) => other !== clip && !other.factory && other.loudness !== null);
  if (clip.factory || clip.loudness === null || !others.length || section.values.normalise_clips) return "";
  const difference = clip.loudness - median(others.map((other) => other.loudness));
  if (Math.abs(difference) < STANDS_OUT) return "";
  return `${Math.round(Math.abs(difference))} dB ${difference > 0 ? "louder" : "softer"} than the others`;
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

// --- one clip ---------------------------------------------------------------------------------

function makeClip({ number }) {
  const row = h("li.clip");
  const clip = () => clips.find((one) => one.number === number);
  row.append(
    h("button.play", { "data-operator": true, onclick: () => playOrStop(clip(), row) }),
    h("div.what", {}, h("strong"), h("small.format")),
    h("div.loudness", {}, h("span.lufs"), h("small.peak"), h("small.marker")),
    h("details.more-of", {}, h("summary", {}, "⋯"), makeOptions(clip, row, number)));
  return row;
}

function makeOptions(clip, row, number) {
  const words = h("output", { for: `volume-${number}` });
  const volume = h("input", { id: `volume-${number}`, type: "range", name: "volume", min: VOLUMES.least, max: VOLUMES.most, step: 1, value: 0, oninput: () => slide(volume, words) });
  slide(volume, words);
  const repeat = h("select", { id: `repeat-${number}`, name: "repeat" },
    ...[["0", "once"], ["1", "twice"], ["2", "3 times"], ["4", "5 times"], ["9", "10 times"], ["null", "until stopped"]].map(([value, text]) => h("option", { value }, text)));
  const sure = h("button.danger", { type: "button", onclick: () => askAgain(sure, () => remove(clip(), row)) }, "Delete");
  return h("form.options", { onsubmit: (event) => { event.preventDefault(); play(clip(), row); } },
    h("div.field", {}, h("label", { for: volume.id }, "Volume"), words, volume),
    h("div.field", {}, h("label", { for: repeat.id }, "How often"), repeat),
    h("div.buttons", {},
      h("button.primary", { "data-operator": true }, "Play"),
      h("button", { type: "button", onclick: () => copyLink(clip(), row) }, "Copy link"),
      h("a.button", { download: "" }, "Download"),
      h("button.own", { type: "button", "data-operator": true, onclick: () => rename(clip(), row) }, "Rename"),
      h("span.own", { "data-operator": true }, sure)),
    h("p.error", { role: "alert" }), h("p.hint.told", { "aria-live": "polite" }));
}

function updateClip(row, clip) {
  setText($("strong", row), clip.name);
  $("summary", row).setAttribute("aria-label", `More about ${clip.name}`);
  const channels = clip.channels === 2 ? "stereo" : "mono";
  const format = clip.factory ? "of every device" : `${clip.format} ${Math.round(clip.sample_rate / 100) / 10} kHz ${channels} · ${bytes(clip.size)}`;
  setText($(".format", row), clip.problem || `${clip.number} · ${seconds(clip.seconds)} · ${format}`);
  setText($(".lufs", row), clip.loudness === null ? "–" : `${tenths(clip.loudness)} LUFS`);
  $(".lufs", row).title = clip.loudness === null ? "too short or too soft to tell" : "loudness (EBU R 128)";
  setText($(".peak", row), `peak ${tenths(clip.peak_db)} dBTP`);
  const marker = standsOut(clip) || (clip.peak_db > LOUDEST ? "overdriven" : "");
  setText($(".marker", row), marker);
  row.classList.toggle("stands-out", marker !== "");
  row.classList.toggle("factory", clip.factory === true);
  row.classList.toggle("broken", Boolean(clip.problem));
  $("a", row).href = `${PATH}/${clip.number}/file`;
}

function showPlaying() {
  for (const row of $("#clips").children) {
    const name = $("strong", row).textContent;
    const on = playing.has(name);
    row.classList.toggle("playing", on);
    setText($(".play", row), on ? "■" : "▶");
    $(".play", row).setAttribute("aria-label", `${on ? "Stop" : "Play"} ${name}`);
  }
}

// --- what can be done with it -----------------------------------------------------------------

const playOrStop = (clip, row) => (playing.has(clip.name) ? command("stop-clip", { clip: clip.name }) : play(clip, row));

function wanted(row) {
  const { volume, repeat } = $("form", row).elements;
  return { volume_db: Number(volume.value), repeat: JSON.parse(repeat.value) };
}

const play = (clip, row) => command("play-clip", { clip: clip.name, ...wanted(row) });

/** The address that plays this clip so, for whoever may: in per cent, and −1 for ever (CLP-02). */
function linkOf(clip, row) {
  const { volume_db, repeat } = wanted(row);
  const volume = Math.round(100 * 10 ** (volume_db / 20));
  return `${location.origin}/axis-cgi/playclip.cgi?clip=${clip.number}&volume=${volume}&repeat=${repeat ?? -1}`;
}

async function copyLink(clip, row) {
  const link = linkOf(clip, row);
  const told = $(".told", row);
  try {
    await navigator.clipboard.writeText(link);
    setText(told, `Copied: ${link}`);
  } catch {
    setText(told, link); // without TLS browsers copy nothing by themselves
    getSelection().selectAllChildren(told);
  }
}

function rename(clip, row) {
  const place = $(".what strong", row);
  const input = h("input.rename", { value: clip.name, maxlength: 45, "aria-label": "Name" });
  const end = () => { input.replaceWith(place); showPlaying(); };
  input.addEventListener("keydown", async (event) => {
    if (event.key === "Escape") end();
    if (event.key !== "Enter") return;
    event.preventDefault();
    try {
      await ask("PATCH", `${PATH}/${clip.number}`, { name: input.value.trim() });
      end();
      setText($(".error", row), "");
      await read();
    } catch (problem) {
      setText($(".error", row), problem.message);
    }
  });
  place.replaceWith(input);
  input.select();
}

async function remove(clip, row) {
  try {
    await ask("DELETE", `${PATH}/${clip.number}`);
    await read();
  } catch (problem) {
    setText($(".error", row), problem.message);
  }
}

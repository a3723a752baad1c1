// The page: who looks at it, the connection to the device, and what is shown where.

import * as accounts from "./accounts.js";
import { ask, command } from "./api.js";
import * as calls from "./calls.js";
import "./clips.js";
import * as digits from "./digits.js";
import { $, setText } from "./dom.js";
import * as lists from "./lists.js";
import "./paging.js";
import * as parties from "./parties.js";
import "./sound.js";
import * as strobe from "./strobe.js";
import * as views from "./views.js";
import { span } from "./words.js";

const RETRY = [0.5, 1, 2, 4, 8]; // seconds between attempts to connect
const QUIET = 4; // seconds without a word, after which what is shown may be old
const LOCATED = 10; // seconds for which a device shows and sounds where it is
const LOST = 10; // seconds without a word, after which the connection is given up

let socket = null;
let attempts = 0;
let retry = 0;
let lastHeard = 0;
let wallOffset = 0; // calendar minus the device's clock, in seconds

// --- set-up, log-in, log-out ------------------------------------------------------------------

async function enter() {
  let session;
  try {
    session = await ask("GET", "/api/v1/session");
  } catch {
    reconnect();
    return;
  }
  const inside = session.role !== null;
  $("#door").hidden = inside;
  $("#device").hidden = !inside;
  $("#set-up").hidden = session.set_up;
  $("#log-in").hidden = !session.set_up;
  if (!inside) {
    leave();
    $(session.set_up ? "#log-in input" : "#set-up input").focus();
    return;
  }
  setText($("#who"), `${session.name} · ${session.role}`);
  document.body.classList.toggle("viewer", session.role === "viewer");
  document.body.classList.toggle("administrator", session.role === "administrator");
  connect();
}

function leave() {
  clearTimeout(retry);
  calls.stopReading();
  views.end();
  if (socket) {
    socket.onclose = null;
    socket.close();
    socket = null;
  }
}

function onSubmit(form, path, check = () => "") {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const error = $(".error", form);
    const button = $("button", form);
    const { name, password } = Object.fromEntries(new FormData(form));
    setText(error, check());
    if (error.textContent) return;
    button.disabled = true;
    try {
      await ask("POST", path, { name, password });
      form.reset();
      await enter();
    } catch (problem) {
      setText(error, problem.message);
    }
    button.disabled = false;
  });
}

const setUp = $("#set-up");
onSubmit(setUp, "/api/v1/setup", () =>
  setUp.elements.password.value === setUp.elements.again.value ? "" : "The two passwords differ.");
onSubmit($("#log-in"), "/api/v1/login");

setUp.elements.password.addEventListener("input", ({ target }) => {
  const strength = Math.min(1, target.value.length / 16);
  $(".strength i").style.transform = `scaleX(${strength})`;
  $(".strength").dataset.good = String(target.value.length >= 12);
  setText($("#advice"), target.value.length && target.value.length < 12
    ? "Short: 12 characters or more are hard to guess." : "12 characters or more are hard to guess.");
});

$("#log-out").addEventListener("click", async () => {
  await ask("POST", "/api/v1/logout").catch(() => {});
  await enter();
});
addEventListener("logged-out", enter);

// --- the connection ---------------------------------------------------------------------------

function connect() {
  leave();
  lastHeard = performance.now() / 1000;
  showConnection("waiting", attempts ? "connecting again" : "connecting");
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  socket = new WebSocket(`${scheme}//${location.host}/api/v1/live`);
  socket.onmessage = ({ data }) => hear(JSON.parse(data));
  socket.onclose = reconnect;
}

function reconnect() {
  leave();
  showConnection("lost", "not connected");
  const wait = RETRY[Math.min(attempts++, RETRY.length - 1)];
  retry = setTimeout(enter, wait * 1000);
}

let state = {}; // as it was told last, and changed since

function hear(message) {
  lastHeard = performance.now() / 1000;
  if (message.type === "hello") strobe.forget();
  strobe.hear(message.at);
  if ($("#connection").dataset.state !== "live") showConnection("live", "live");
  switch (message.type) {
    case "hello":
      attempts = 0;
      lists.forgetEvents();
      digits.forget();
      calls.readHistory();
      views.begin((name) => socket.send(name));
      break;
    case "state":
      state = message.whole ? message.state : { ...state, ...message.state };
      show(state);
      views.hear("state", state);
      break;
    case "sound": views.hear("sound", message); break;
    case "frame": strobe.frame(message); break;
    case "levels":
      calls.showCallLevels(message.calls);
      lists.showSpeakerLevel(message.sound);
      break;
    case "events":
      lists.showEvents(message, clockTime);
      digits.hear(message.events.map(effect), clockTime);
      views.hear("events", message.events.map(effect));
      if (message.skipped || message.events.some(endsCall)) calls.readHistory();
      break;
  }
}

function showConnection(state, words) {
  const place = $("#connection");
  place.dataset.state = state;
  setText($("b", place), words);
  document.body.classList.toggle("stale", state !== "live");
}

const effect = ({ chain: [event] }) => event;
const endsCall = ({ chain: [{ name, items }] }) => name === "call/state_change" && items.state === "terminated";

/** The time of day at which something happened, as the device's calendar has it. */
function clockTime(at) {
  return new Date((at + wallOffset) * 1000).toLocaleTimeString([], { hour12: false });
}

// --- the state --------------------------------------------------------------------------------

let uptime = 0; // the device's clock when it started
let until = null; // the end of maintenance mode on that clock

function show(state) {
  const { device, maintenance, now } = state;
  wallOffset = Date.parse(device.wall) / 1000 - now;
  uptime = now - device.uptime_seconds;
  setText($("#name"), device.name);
  if (document.title !== device.name) document.title = device.name;
  $("#facts").dataset.words = `${device.serial} · version ${device.version}`;
  $("#identity").dataset.serial = device.serial;
  $("#maintenance").hidden = !maintenance.active;
  $("#maintenance-switch").checked = maintenance.active;
  until = maintenance.until ? Date.parse(maintenance.until) / 1000 - wallOffset : null;
  const port = state.listening.map((words) => words.match(/^(UDP|TCP) (\d+)/)?.[2]).find(Boolean);
  setText($("#dial"), port ? `Dial sip:anything@${location.hostname}:${port}` : "");
  parties.note(state.calls);
  lists.showFunctions(state.functions, now);
  lists.showSounding(state.functions, state.clips, state.sound);
  calls.showCalls(state.calls, now);
  calls.showAccountChoice(state.registrations);
  accounts.showAccounts(state.registrations, state.registrations_total);
  accounts.showReach(state.listening, state.nat);
  lists.showProfiles(state.profiles);
  lists.showTriggers(state.triggers);
  lists.showRules(state.rules);
  lists.showSound(state.sound);
  lists.showHealth(state.health, state.functions);
  lists.showServices(state.services);
  tick();
}

function tick() {
  const now = strobe.deviceNow();
  lists.tick();
  calls.tick();
  setText($("#facts"), `${$("#facts").dataset.words ?? ""} · up ${span(now - uptime)}`);
  setText($("#maintenance-left"), until === null ? "It lasts until it is switched off." : `It ends in ${span(until - now)}.`);
  const quiet = performance.now() / 1000 - lastHeard;
  if (socket && quiet > LOST) reconnect();
  else if (socket && quiet > QUIET && $("#connection").dataset.state === "live") showConnection("waiting", "no news");
}
setInterval(tick, 250);

// --- what people can do -----------------------------------------------------------------------

$("#maintenance-off").addEventListener("click", () => command("set-maintenance", { active: false }));
$("#maintenance-switch").addEventListener("change", ({ target }) =>
  command("set-maintenance", { active: target.checked }));
$("#stop-all").addEventListener("click", () =>
  command("stop-all", { functions: ["SignalingLED", "AudioLED", "AudioSpeaker"] }));
$("#health-check").addEventListener("click", () => command("run-health-check"));
$("#locate").addEventListener("click", async () => {
  if (!await command("locate-device", { seconds: LOCATED })) return;
  setText($("#identity"), `It flashes and sounds for ${LOCATED} s: serial number ${$("#identity").dataset.serial}, at ${location.host}`);
  setTimeout(() => setText($("#identity"), ""), 1000 * LOCATED);
});

const calm = $("#calm");
const kept = localStorage.getItem("calm");
strobe.setCalm(kept === null ? strobe.isCalm() : kept === "yes");
calm.checked = strobe.isCalm();
calm.addEventListener("change", () => {
  strobe.setCalm(calm.checked);
  localStorage.setItem("calm", calm.checked ? "yes" : "no");
});

views.show();
enter();

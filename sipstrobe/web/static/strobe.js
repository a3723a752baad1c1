// The drawing: frames come with the instant they were shown, and are shown here at that pace.

import { $ } from "./dom.js";
import { COLORS } from "./words.js";

const DELAY = 0.05; // seconds: evens out the network, so that a fade stays smooth
const HOLD = 2.5; // seconds for which a calm picture keeps what was lit
const DARK = ["", 0];

const face = (n) => $(`[data-face="${n}"]`);
const faces = [0, 1, 2, 3].map((n) => ({
  face: face(n),
  beam: $(`[data-beam="${n}"]`),
  shown: "",
  lit: { color: "", level: 0, until: 0 },
}));
const ring = $("#ring");
const waiting = { SignalingLED: [], AudioLED: [] };
let offset = null; // performance clock minus device clock; the least seen is the truest
let calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
let running = false;

export function setCalm(wanted) {
  calm = wanted;
  for (const side of faces) side.lit.until = 0;
  document.body.classList.toggle("calm", calm);
  start();
}
export const isCalm = () => calm;

/** The device's clock, in seconds, as the page knows it. */
export const deviceNow = () => (offset === null ? 0 : performance.now() / 1000 - offset);

export function hear(at) {
  const seen = performance.now() / 1000 - at;
  // Drift slowly towards later, so that a clock that runs apart is followed.
  offset = offset === null || seen < offset ? seen : offset + Math.min(seen - offset, 0.0005);
}

export function frame(message) {
  const queue = waiting[message.light];
  if (!queue) return;
  queue.push(message);
  if (queue.length > 120) queue.splice(0, queue.length - 120);
  start();
}

export function forget() {
  offset = null;
  waiting.SignalingLED = [];
  waiting.AudioLED = [];
}

function start() {
  if (!running) {
    running = true;
    requestAnimationFrame(step);
  }
}

function step() {
  const now = deviceNow() - DELAY;
  const light = due(waiting.SignalingLED, now);
  if (light) light.sides.forEach((side, n) => see(faces[n], side, now));
  const audio = due(waiting.AudioLED, now);
  if (audio) showRing(audio.sides);
  if (calm) faces.forEach((side) => rest(side, now));
  running = waiting.SignalingLED.length > 0 || waiting.AudioLED.length > 0
    || (calm && faces.some((side) => side.lit.until > now));
  if (running) requestAnimationFrame(step);
}

/** The newest frame whose time has come; the older ones are passed over. */
function due(queue, now) {
  let newest = null;
  while (queue.length && queue[0].at <= now) newest = queue.shift();
  return newest;
}

function see(side, [color, level], now) {
  if (!calm) {
    draw(side, color, level);
    return;
  }
  if (!level) {
    side.lit.until = Math.min(side.lit.until, now + HOLD);
  } else if (now >= side.lit.until || level >= side.lit.level) {
    side.lit = { color, level, until: Infinity };
  } else {
    side.lit.until = Infinity;
  }
}

/** A calm picture: what was lit a moment ago stays lit. */
function rest(side, now) {
  if (side.lit.until > now) draw(side, side.lit.color, side.lit.level * 0.7);
  else draw(side, ...DARK);
}

function draw(side, color, level) {
  const key = `${color} ${level}`;
  if (side.shown === key) return;
  side.shown = key;
  const paint = COLORS[color] ?? color;
  if (level) {
    side.face.style.setProperty("--paint", paint);
    side.beam.style.setProperty("--paint", paint);
  }
  side.face.style.setProperty("--level", level);
  side.beam.style.setProperty("--level", level);
}

function showRing(sides) {
  const [color, level] = sides.reduce((best, side) => (side[1] > best[1] ? side : best), DARK);
  ring.style.stroke = COLORS[color] ?? "";
  ring.style.opacity = level ? 0.25 + 0.75 * level : "";
}

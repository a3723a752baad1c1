// The drawing: frames come with the instant they were shown, and are shown here at that pace.

import { $ } from "./dom.js";
import { COLORS } from "./words.js";

const DELAY = 0.05; // seconds: evens out the network, so that a fade stays smooth
const HOLD = 2.5; // seconds for which a calm picture keeps what was lit
const DARK = ["", 0];

const DIM = { color: "", level: 0, since: 0, until: 0 };
const lamp = (draw) => ({ draw, shown: "", latest: DARK, lit: DIM });
const faces = [0, 1, 2, 3].map((n) => {
  const parts = [$(`[data-face="${n}"]`), $(`[data-beam="${n}"]`)];
  return lamp((paint, level) => {
    for (const { style } of parts) {
      if (level) style.setProperty("--paint", paint);
      style.setProperty("--level", level);
    }
  });
});
const ring = lamp((paint, level) => {
  const { style } = $("#ring");
  style.stroke = level ? paint : "";
  style.opacity = level ? 0.25 + 0.75 * level : "";
});
const lamps = [...faces, ring];
const waiting = { SignalingLED: [], AudioLED: [] };
let offset = null; // performance clock minus device clock; the least seen is the truest
let calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
let running = false;

export function setCalm(wanted) {
  calm = wanted;
  for (const one of lamps) {
    one.lit = DIM;
    see(one, one.latest);
  }
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
  for (const one of lamps) one.lit = DIM; // its instants are of the old clock
}

function start() {
  if (!running) {
    running = true;
    requestAnimationFrame(step);
  }
}

function step() {
  const now = deviceNow() - DELAY;
  due(waiting.SignalingLED, now)?.sides.forEach((side, n) => see(faces[n], side));
  const audio = due(waiting.AudioLED, now);
  if (audio) see(ring, audio.sides.reduce((best, side) => (side[1] > best[1] ? side : best), DARK));
  if (calm) for (const one of lamps) rest(one, now);
  running = waiting.SignalingLED.length > 0 || waiting.AudioLED.length > 0
    || (calm && lamps.some((one) => one.lit.until > now));
  if (running) requestAnimationFrame(step);
}

/** The newest frame whose time has come; the older ones are passed over. */
function due(queue, now) {
  let newest = null;
  while (queue.length && queue[0].at <= now) newest = queue.shift();
  return newest;
}

function see(one, side) {
  one.latest = side;
  if (!calm) draw(one, ...side);
}

/** A calm picture: what was lit a moment ago stays lit, in the colour that it had. */
function rest(one, now) {
  const { lit, latest: [color, level] } = one;
  const same = color === lit.color;
  if (!level) one.lit = { ...lit, until: Math.min(lit.until, now + HOLD) };
  else if (now >= lit.until || (same ? level > lit.level : now >= lit.since + HOLD))
    one.lit = { color, level, since: same ? lit.since : now, until: Infinity };
  else one.lit = { ...lit, until: Infinity };
  if (one.lit.until > now) draw(one, one.lit.color, one.lit.level * 0.7);
  else draw(one, ...DARK);
}

function draw(one, color, level) {
  const key = `${color} ${level}`;
  if (one.shown === key) return;
  one.shown = key;
  one.draw(COLORS[color] ?? color, level);
}

// Bars that show how loud it is, and how full.

import { $, setText } from "./dom.js";
import { bytes } from "./words.js";

const shareOf = (level) => Math.min(1, Math.max(0, (level + 60) / 60));

/** level, peak: in dB of full scale. */
export function setLevel(meter, level, peak = null) {
  meter.firstElementChild.style.setProperty("--share", shareOf(level));
  if (peak !== null) meter.style.setProperty("--peak", shareOf(peak));
  meter.setAttribute("aria-valuenow", Math.round(Math.max(-60, level)));
  meter.title = level > -90 ? `${level.toFixed(0)} dBFS` : "silence";
}

/** How much of the space is in use. */
export function showQuota(place, used, quota) {
  const share = Math.min(1, used / quota);
  $("i", place).style.setProperty("--share", share);
  place.dataset.grade = share > 0.95 ? "bad" : share > 0.8 ? "fair" : "good";
  setText($("small", place), `${bytes(used)} of ${bytes(quota)}`);
}

// Bars that show how loud it is.

/** level: in dB of full scale. */
export function setLevel(meter, level) {
  const share = Math.min(1, Math.max(0, (level + 60) / 60));
  meter.firstElementChild.style.setProperty("--share", share);
  meter.setAttribute("aria-valuenow", Math.round(Math.max(-60, level)));
  meter.title = level > -90 ? `${level.toFixed(0)} dBFS` : "silence";
}

// Bars that show how loud it is.

const shareOf = (level) => Math.min(1, Math.max(0, (level + 60) / 60));

/** level, peak: in dB of full scale. */
export function setLevel(meter, level, peak = null) {
  meter.firstElementChild.style.setProperty("--share", shareOf(level));
  if (peak !== null) meter.style.setProperty("--peak", shareOf(peak));
  meter.setAttribute("aria-valuenow", Math.round(Math.max(-60, level)));
  meter.title = level > -90 ? `${level.toFixed(0)} dBFS` : "silence";
}

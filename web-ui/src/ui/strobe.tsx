// The four-sided light, drawn from above: living, from the feed, or a preview from given frames.
// A drawing that is calm does not flash: what was lit a moment ago stays lit (SAF-01).

import { signal } from "@preact/signals";
import { useEffect, useId, useRef } from "preact/hooks";
import { deviceNow, frames as newest, hearFrames, lateness, type Frame, type Sides } from "../live";
import type { LightName } from "../types";
import { Toggle } from "./fields";
import { told } from "../words";
import "./german";
import { Icon } from "./icon";
import { t } from "./words";

/** How the device's colours look on a screen. */
export const COLORS: Record<string, string> = {
  red: "#ff2a1f", green: "#12e64a", blue: "#2b62ff", white: "#ffffff", amber: "#ff9a0a",
  yellow: "#ffe22e", pink: "#ff5fb0", purple: "#a02bff", turquoise: "#12e6d2",
};
const [SHORTEST, LONGEST] = [0.006, 0.1]; // seconds of delay, as the network is: a fade stays smooth
const PAUSE = 0.1; // seconds without a frame, after which the next begins something and is drawn at once
const HOLD = 2.5; // seconds for which a calm picture keeps what was lit
const WAITING_MAX = 120; // frames
const CALM_LEVEL = 0.7; // of its brightness that a calm picture shows
const KEPT = "calm";

const reduced = matchMedia("(prefers-reduced-motion: reduce)");
const chosen = localStorage.getItem(KEPT);

/** Whether lights are shown without flashing: as people have chosen, else as the system asks. */
export const calm = signal(chosen === null ? reduced.matches : chosen === "yes");
reduced.addEventListener("change", () => {
  if (localStorage.getItem(KEPT) === null) calm.value = reduced.matches;
});

export function setCalm(wanted: boolean): void {
  localStorage.setItem(KEPT, wanted ? "yes" : "no");
  calm.value = wanted;
}

/** Frames of one period, `at` in seconds from its start, ascending. */
export interface Preview {
  frames: readonly { at: number; sides: Sides }[];
  seconds: number; // the period
}

export type Side = [color: string, level: number];
export const DARK: Side = ["", 0];

/** One lamp of a drawing: draws what it is told, or calmly. */
export class Lamp {
  private shown = "";
  private latest: Side = DARK;
  private lit = { color: "", level: 0, since: 0, until: 0 };

  constructor(private readonly draw: (paint: string, level: number) => void) {}

  see(side: Side): void {
    this.latest = side;
    if (!calm.peek()) this.put(...side);
  }

  /** What was lit a moment ago stays lit, in the colour that it had; whether it will change. */
  rest(now: number): boolean {
    const [color, level] = this.latest;
    const { lit } = this;
    const same = color === lit.color;
    if (!level) this.lit = { ...lit, until: Math.min(lit.until, now + HOLD) };
    else if (now >= lit.until || (same ? level > lit.level : now >= lit.since + HOLD)) this.lit = { color, level, since: same ? lit.since : now, until: Infinity };
    else this.lit = { ...lit, until: Infinity };
    if (this.lit.until > now) this.put(this.lit.color, this.lit.level * CALM_LEVEL);
    else this.put(...DARK);
    return this.lit.until > now;
  }

  forget(): void {
    this.lit = { color: "", level: 0, since: 0, until: 0 };
    this.see(this.latest);
  }

  private put(color: string, level: number): void {
    const key = `${color} ${level}`;
    if (this.shown === key) return;
    this.shown = key;
    this.draw(COLORS[color] ?? color, level);
  }
}

/** The lamps of a drawing: four sides and the ring of the audio light. */
function lampsOf(drawing: SVGSVGElement): { faces: Lamp[]; ring: Lamp } {
  const faces = [0, 1, 2, 3].map((n) => {
    const parts = [...drawing.querySelectorAll<SVGElement>(`[data-face="${n}"], [data-beam="${n}"]`)];
    return new Lamp((paint, level) => {
      for (const { style } of parts) {
        if (level) style.setProperty("--paint", paint);
        style.setProperty("--level", String(level));
      }
    });
  });
  const { style } = drawing.querySelector<SVGElement>(".strobe-ring")!;
  const ring = new Lamp((paint, level) => {
    style.setProperty("--paint", paint || "#fff");
    style.setProperty("--level", String(level));
  });
  return { faces, ring };
}

export const brightest = (sides: Sides): Side => sides.reduce((best, side) => (side[1] > best[1] ? side : best), DARK);

/** A lamp, and what of which light it shows. */
export interface Shown {
  lamp: Lamp;
  light: LightName;
  pick: (sides: Sides) => Side;
}

/** Draw what the device shows, at its pace; gives what ends it. */
export function follow(lamps: readonly Shown[]): () => void {
  const waiting: Record<LightName, Frame[]> = { SignalingLED: [], AudioLED: [] };
  let request = 0;
  const due = (queue: Frame[], now: number): Frame | undefined => {
    let found: Frame | undefined;
    while (queue[0] && queue[0].at <= now) found = queue.shift();
    return found;
  };
  const newestAt: Partial<Record<LightName, number>> = {};
  const show = (frame: Frame): void => {
    for (const { lamp, light, pick } of lamps) if (light === frame.light) lamp.see(pick(frame.sides));
  };
  const step = (): void => {
    const now = deviceNow() - Math.min(SHORTEST + lateness(), LONGEST);
    for (const queue of Object.values(waiting)) {
      const frame = due(queue, now);
      if (frame) show(frame);
    }
    const restless = calm.peek() && lamps.map(({ lamp }) => lamp.rest(now)).some(Boolean);
    request = waiting.SignalingLED.length || waiting.AudioLED.length || restless ? requestAnimationFrame(step) : 0;
  };
  const start = (): void => {
    request ||= requestAnimationFrame(step);
  };
  const take = (frame: Frame): void => {
    const queue = waiting[frame.light];
    if (!queue.length && frame.at - (newestAt[frame.light] ?? 0) > PAUSE) show(frame); // at once: it begins
    newestAt[frame.light] = frame.at;
    queue.push(frame);
    if (queue.length > WAITING_MAX) queue.splice(0, queue.length - WAITING_MAX);
    start();
  };
  for (const frame of Object.values(newest.peek())) take(frame);
  const ends = [
    hearFrames(take),
    calm.subscribe(() => {
      for (const { lamp } of lamps) lamp.forget();
      start();
    }),
  ];
  return () => {
    cancelAnimationFrame(request);
    for (const end of ends) end();
  };
}

/** The drawing of the whole device, which shows both of its lights. */
function followAll(drawing: SVGSVGElement): () => void {
  const { faces, ring } = lampsOf(drawing);
  const sides = faces.map((lamp, n): Shown => ({ lamp, light: "SignalingLED", pick: (sides) => sides[n] ?? DARK }));
  return follow([...sides, { lamp: ring, light: "AudioLED", pick: brightest }]);
}

/** Draw the frames of a preview over and over; a calm one shows its brightest and stands still. */
function play(drawing: SVGSVGElement, { frames, seconds }: Preview, light: LightName): () => void {
  const { faces, ring } = lampsOf(drawing);
  const show = (sides: Sides): void => {
    if (light === "AudioLED") ring.see(brightest(sides));
    else sides.forEach((side, n) => faces[n]?.see(side));
  };
  const began = performance.now() / 1000;
  let request = 0;
  const step = (): void => {
    const at = (performance.now() / 1000 - began) % Math.max(seconds, 0.001);
    const frame = frames.findLast((one) => one.at <= at) ?? frames[0];
    if (frame) show(frame.sides);
    if (calm.peek()) for (const lamp of [...faces, ring]) lamp.rest(performance.now() / 1000);
    request = frames.length > 1 ? requestAnimationFrame(step) : 0;
  };
  const end = calm.subscribe(() => {
    for (const lamp of [...faces, ring]) lamp.forget();
    cancelAnimationFrame(request);
    step();
  });
  return () => {
    cancelAnimationFrame(request);
    end();
  };
}

export interface StrobeProps {
  label: string; // what it shows, in words
  preview?: Preview; // else the light of the device
  light?: LightName; // of a preview
  sounds?: boolean; // waves around the speaker
  still?: boolean; // a preview that nobody plays yet: dark
}

const SIDES = [
  { beam: "70,270 330,270 450,450 -50,450", lens: "104,306 296,306 250,260 150,260", core: [134, 286, 266, 286], letter: [200, 286], name: "A", away: [0, 0, 0, 1], room: [-80, 240, 560, 210] },
  { beam: "130,70 130,330 -50,450 -50,-50", lens: "94,104 94,296 140,250 140,150", core: [114, 134, 114, 266], letter: [114, 200], name: "B", away: [1, 0, 0, 0], room: [-50, -80, 210, 560] },
  { beam: "70,130 330,130 450,-50 -50,-50", lens: "104,94 296,94 250,140 150,140", core: [134, 114, 266, 114], letter: [200, 114], name: "C", away: [0, 1, 0, 0], room: [-80, -50, 560, 210] },
  { beam: "270,70 270,330 450,450 450,-50", lens: "306,104 306,296 260,250 260,150", core: [286, 134, 286, 266], letter: [286, 200], name: "D", away: [0, 0, 1, 0], room: [240, -80, 210, 560] },
] as const;

export function Strobe({ label, preview, light = "SignalingLED", sounds = false, still = false }: StrobeProps) {
  const drawing = useRef<SVGSVGElement>(null);
  const id = useId().replace(/[^a-zA-Z0-9]/g, "");
  useEffect(() => {
    if (still) return undefined;
    return preview ? play(drawing.current!, preview, light) : followAll(drawing.current!);
  }, [preview, light, still]);
  return (
    <svg ref={drawing} class="strobe" viewBox="38 38 324 324" role="img" aria-label={label} data-calm={calm.value ? "yes" : "no"}>
      <Paints id={id} />
      <g>
        {SIDES.map((side, n) => (
          <g key={n} mask={`url(#${id}fade${n})`}>
            <polygon class="strobe-beam" data-beam={n} points={side.beam} filter={`url(#${id}soft)`} />
          </g>
        ))}
      </g>
      <rect x="80" y="80" width="240" height="240" rx="34" fill={`url(#${id}body)`} class="strobe-body" />
      {SIDES.map((side, n) => (
        <polygon key={n} class="strobe-lens" points={side.lens} fill={`url(#${id}lens)`} />
      ))}
      {SIDES.map((side, n) => (
        <g key={n} class="strobe-face" data-face={n}>
          <polygon class="strobe-bloom" points={side.lens} filter={`url(#${id}bloom)`} />
          <polygon class="strobe-lit" points={side.lens} />
          <line class="strobe-core" x1={side.core[0]} y1={side.core[1]} x2={side.core[2]} y2={side.core[3]} filter={`url(#${id}bloom)`} />
        </g>
      ))}
      <circle class="strobe-speaker" cx="200" cy="200" r="50" />
      <circle cx="200" cy="200" r="38" fill={`url(#${id}grille)`} />
      <circle class="strobe-ring" cx="200" cy="200" r="45" />
      <g class={sounds ? "strobe-waves strobe-sounds" : "strobe-waves"}>
        {[0, 1, 2].map((n) => (
          <circle key={n} cx="200" cy="200" r="44" />
        ))}
      </g>
      <g class="strobe-letters" aria-hidden="true">
        {SIDES.map((side) => (
          <text key={side.name} x={side.letter[0]} y={side.letter[1]}>{side.name}</text>
        ))}
      </g>
    </svg>
  );
}

function Paints({ id }: { id: string }) {
  return (
    <defs>
      <radialGradient id={`${id}lens`} cx=".5" cy=".5" r=".8">
        <stop offset="0" stop-color="#343845" />
        <stop offset="1" stop-color="#1d2029" />
      </radialGradient>
      <radialGradient id={`${id}body`} cx=".5" cy=".42" r=".7">
        <stop offset="0" stop-color="#3a3f4c" />
        <stop offset="1" stop-color="#181a21" />
      </radialGradient>
      {SIDES.map(({ away, room }, n) => (
        <g key={n}>
          <linearGradient id={`${id}away${n}`} x1={away[0]} y1={away[1]} x2={away[2]} y2={away[3]}>
            <stop offset=".12" stop-color="#fff" stop-opacity="0" />
            <stop offset=".38" stop-color="#fff" stop-opacity=".95" />
            <stop offset="1" stop-color="#fff" stop-opacity="0" />
          </linearGradient>
          <mask id={`${id}fade${n}`}>
            <rect x={room[0]} y={room[1]} width={room[2]} height={room[3]} fill={`url(#${id}away${n})`} />
          </mask>
        </g>
      ))}
      <filter id={`${id}soft`} x="-40%" y="-40%" width="180%" height="180%">
        <feGaussianBlur stdDeviation="13" />
      </filter>
      <filter id={`${id}bloom`} x="-60%" y="-60%" width="220%" height="220%">
        <feGaussianBlur stdDeviation="7" />
      </filter>
      <pattern id={`${id}grille`} width="7" height="7" patternUnits="userSpaceOnUse">
        <circle cx="3.5" cy="3.5" r="1.3" fill="#07080b" />
      </pattern>
    </defs>
  );
}

/** The seizure warning (SAF-01), with the choice to see no flashing. Wherever a light is shown. */
export function SeizureWarning() {
  return (
    <div class="seizure">
      <p>
        <Icon name="warning" size={18} /> {t("seizure")}
      </p>
      <Toggle label={t("calm")} checked={calm.value} onChange={setCalm} />
    </div>
  );
}

/** Dots of colours, each with its name for those who hear the page. */
export function Swatches({ colors }: { colors: readonly string[] }) {
  if (!colors.length) return null;
  return (
    <span class="swatches" role="img" aria-label={colors.map(told).join(", ")}>
      {colors.map((color, n) => (
        <i key={n} title={told(color)} style={{ "--paint": COLORS[color] ?? color }} />
      ))}
    </span>
  );
}

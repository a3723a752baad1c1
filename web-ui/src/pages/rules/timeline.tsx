// When each rule would be active, on one line of time.

import { vars } from "../../ui";
import { number } from "../../words";
import { t } from "./words";

export interface Entry {
  at: number;
  rule: string;
  outcome: string;
}

interface Span {
  from: number;
  to: number;
}

const BEGINS = new Set(["begun", "resumed"]);

/** The spans in which a rule is active; of what acts at once, an instant. */
export function spans(entries: readonly Entry[], rule: string, active: boolean, seconds: number): Span[] {
  const found: Span[] = [];
  let open: number | null = null;
  for (const { at, outcome } of entries.filter((entry) => entry.rule === rule)) {
    if (BEGINS.has(outcome)) {
      if (open !== null) found.push({ from: open, to: open });
      open = at;
    } else if (outcome === "repeated") found.push({ from: at, to: at });
    else if (outcome === "ended" && open !== null) {
      found.push({ from: open, to: at });
      open = null;
    }
  }
  if (open !== null) found.push({ from: open, to: active ? seconds : open });
  return found;
}

const said = (at: number): string => `${number(at, 2)} s`;

const laneWords = (rule: string, all: readonly Span[]): string => {
  if (all.length === 0) return t("sim_lane_never", { rule });
  if (all.every(({ from, to }) => from === to)) return t("sim_lane_once", { rule, at: all.map(({ from }) => said(from)).join(", ") });
  return t("sim_lane", { rule, spans: all.map(({ from, to }) => (from === to ? said(from) : `${said(from)}–${said(to)}`)).join(", ") });
};

const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400, 7 * 86400];

/** Instants with figures on the axis, ten at most. */
function ticks(seconds: number): number[] {
  const step = STEPS.find((one) => seconds / one <= 8) ?? seconds;
  return Array.from({ length: Math.floor(seconds / step + 1e-9) + 1 }, (_, n) => n * step);
}

/** events: instants of what came, for the marks at the top. */
export function Timeline({ entries, rules, active, seconds, events }: { entries: readonly Entry[]; rules: readonly string[]; active: readonly string[]; seconds: number; events: readonly number[] }) {
  const whole = Math.max(seconds, 0.001);
  return (
    <figure class="rules-timeline">
      <figcaption class="hidden">{t("sim_lanes", { seconds: said(seconds) })}</figcaption>
      <div class="rules-axis" aria-hidden="true">
        {ticks(whole).map((at) => (
          <span key={at} style={vars({ from: at / whole })}>
            {at < 120 ? said(at) : `${number(at / 60, 1)} min`}
          </span>
        ))}
      </div>
      <ul class="rules-lanes">
        {rules.map((rule) => {
          const all = spans(entries, rule, active.includes(rule), seconds);
          return (
            <li key={rule}>
              <span class="rules-lane-name">{rule}</span>
              <span class="rules-lane" role="img" aria-label={laneWords(rule, all)}>
                {events.map((at, n) => (
                  <u key={n} style={vars({ from: at / whole })} />
                ))}
                {all.map(({ from, to }, n) => (
                  <i key={n} data-instant={from === to} style={vars({ from: from / whole, long: (to - from) / whole })} />
                ))}
              </span>
            </li>
          );
        })}
      </ul>
    </figure>
  );
}

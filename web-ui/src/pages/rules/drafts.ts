// Rules that are being made, checked by the device while they are.

import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { post, Problem } from "../../api";
import type { FieldProblem } from "../../types";
import type { Rule, Warning } from "./model";

const PAUSE = 400; // milliseconds without a key, after which the device is asked

/** What the simulator plays in place of the stored rules; null: those that are stored. */
export const trial = signal<Rule[] | null>(null);

/** A draft, and the name of the rule that it replaces; null: it is new. */
export interface Draft {
  was: string | null;
  rule: Rule;
}

/** All rules with the drafts in their places, and where each draft stands then. */
export function placed(rules: readonly Rule[], drafts: readonly Draft[]): { rules: Rule[]; places: number[] } {
  const all = [...rules];
  const places = drafts.map(({ was, rule }) => {
    const at = was === null ? -1 : rules.findIndex(({ name }) => name === was);
    if (at < 0) return all.push(rule) - 1;
    all[at] = rule;
    return at;
  });
  return { rules: all, places };
}

export interface Checked {
  state: "busy" | "sound" | "unsound";
  warnings: Warning[];
  problems: FieldProblem[];
}

const BUSY: Checked = { state: "busy", warnings: [], problems: [] };

/** What the device says of the drafts among the stored rules, once nothing changes any more. */
export function useChecked(rules: readonly Rule[], drafts: readonly Draft[]): Checked {
  const [checked, tell] = useState<Checked>(BUSY);
  const asked = JSON.stringify([rules, drafts]);
  useEffect(() => {
    const gone = new AbortController();
    const { rules: all, places } = placed(rules, drafts);
    const concerned = new Set(drafts.map(({ rule }) => rule.name));
    const mine = (warning: Warning): boolean => warning.rules.some((name) => concerned.has(name)) || places.some((at) => warning.path.startsWith(`/rules/${at}/`));
    const ask = async (): Promise<void> => {
      try {
        const { warnings } = await post<{ warnings: Warning[] }>("/rules/check", { rules: all }, { signal: gone.signal });
        tell({ state: "sound", warnings: warnings.filter(mine), problems: [] });
      } catch (refused) {
        if (gone.signal.aborted) return;
        if (!(refused instanceof Problem)) throw refused;
        tell({ state: "unsound", warnings: [], problems: refused.fields });
      }
    };
    const timer = setTimeout(() => void ask(), PAUSE);
    return () => (clearTimeout(timer), gone.abort());
  }, [asked]);
  return checked;
}

// All settings, followed; and one value put into its place.

import { get, patch, Problem } from "../../../api";
import type { FieldProblem, Schema } from "../../../types";
import { useTold } from "../told";
import { patchFor, same, valueAt, type All } from "./model";

const ATTEMPTS = 3; // against others who store at the same moment

export interface Warning {
  path: string;
  message: string;
}

export type Outcome = { kind: "saved"; warnings: Warning[] } | { kind: "refused"; problems: FieldProblem[] } | { kind: "conflict"; theirs: unknown };

export interface Store {
  all: All;
  schema: Schema;
  /** Put a value there; undefined: its default. seen: what was there when people began to change
   *  it, unless they insist. */
  put: (path: string, value: unknown, seen: { value: unknown } | null) => Promise<Outcome>;
}

const FOLLOW = { settings: [""] };

export function useAll(): { store: Store | null; problem: string } {
  const { value: all, problem, reload } = useTold<All>("/settings", FOLLOW);
  const { value: schema, problem: unknown } = useTold<Schema>("/settings/schema");
  const put: Store["put"] = async (path, value, seen) => {
    for (let attempt = 1; ; attempt++) {
      const now = await get<All>("/settings");
      const theirs = valueAt(now.settings, path);
      if ((seen && !same(theirs, seen.value)) || attempt > ATTEMPTS) {
        await reload();
        return { kind: "conflict", theirs };
      }
      try {
        const { warnings } = await patch<{ warnings: Warning[] }>("/settings", patchFor(now.settings, path, value), { revision: now.revision });
        await reload();
        return { kind: "saved", warnings };
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        if (error.status !== 412) return { kind: "refused", problems: error.fields };
      } // changed between the look and the order: look again
    }
  };
  return { store: all && schema && { all, schema, put }, problem: problem || unknown };
}

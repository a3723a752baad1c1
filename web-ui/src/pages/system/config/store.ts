// All settings, followed; and one value put into its place.

import { useEffect, useState } from "preact/hooks";
import { get, patch, Problem } from "../../../api";
import { newestEvents } from "../../../live";
import type { FieldProblem, Schema } from "../../../types";
import { patchFor, same, valueAt, type All } from "./model";

const SOON = 200; // milliseconds from a change by others to a look, for several at once

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

export function useAll(): { store: Store | null; problem: string } {
  const [all, take] = useState<All | null>(null);
  const [schema, learn] = useState<Schema | null>(null);
  const [problem, complain] = useState("");
  const read = async (): Promise<All | null> => {
    try {
      const told = await get<All>("/settings");
      take((known) => (known && known.revision > told.revision ? known : told));
      complain("");
      return told;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      complain(error.message);
      return null;
    }
  };
  useEffect(() => {
    void read();
    void get<Schema>("/settings/schema").then(learn, (error: Error) => complain(error.message));
  }, []);
  const fresh = newestEvents.value;
  const changed = fresh.some(({ chain }) => chain[0]!.name === "device/settings");
  useEffect(() => {
    if (!changed) return undefined;
    const soon = setTimeout(() => void read(), SOON);
    return () => clearTimeout(soon);
  }, [changed && fresh]);

  const put: Store["put"] = async (path, value, seen) => {
    for (let attempt = 0; attempt < 3; attempt++) {
      const now = await get<All>("/settings");
      const theirs = valueAt(now.settings, path);
      if (seen && !same(theirs, seen.value)) {
        take(now);
        return { kind: "conflict", theirs };
      }
      try {
        const { warnings } = await patch<{ warnings: Warning[] }>("/settings", patchFor(now.settings, path, value), { revision: now.revision });
        await read();
        return { kind: "saved", warnings };
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        if (error.status !== 412) return { kind: "refused", problems: error.fields };
      } // changed between the look and the order: look again
    }
    return { kind: "conflict", theirs: valueAt((await read())?.settings, path) };
  };
  return { store: all && schema && { all, schema, put }, problem };
}

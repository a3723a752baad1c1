// One section of the settings, shared by all that show it: read, changed by merge patch, followed.

import { batch, signal, type Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get, patch as send, Problem } from "./api";
import { concerns, newestEvents, whenBack } from "./live";
import { can } from "./session";
import type { FieldProblem, Schema, Settings } from "./types";

export interface Conflict<T> {
  mine: object; // the patch that was refused
  theirs: T; // what the device has now
}

export interface Section<T> {
  /** null until it was read. Replaced by the next reading: keep a draft beside it. */
  readonly value: T | null;
  readonly schema: Schema;
  readonly revision: number;
  readonly system: string[];
  /** Of the last `save`: each at its JSON pointer from the root of all settings ("/mqtt/host"). */
  readonly problems: readonly FieldProblem[];
  readonly conflict: Conflict<T> | null;
  readonly saving: boolean;
  /** Merge a patch (RFC 7396); a list in place of a list. Whether it was taken: of a refusal
   *  `problems` or `conflict` say why. Refused if anybody changed this section since it was read.
   *  A function makes the patch of what there is when its turn has come, after all that was saved
   *  before: what is made of a whole list must be, lest it take back what is on its way. null:
   *  nothing is to be saved. */
  save: (patch: Patch<T>, how?: How<T>) => Promise<boolean>;
  reload: () => Promise<void>;
  /** What there is by now, for what goes on after a render: a save that was refused, say. */
  peek: () => Pick<Section<T>, "value" | "problems" | "conflict">;
  forgive: () => void; // forget problems and conflict
  /** Whether who looks may change what is at this pointer below the section ("/host"; "": any). */
  may: (path?: string) => boolean;
}

export type Patch<T> = object | ((now: T) => object | null);

export interface How<T> {
  force?: boolean; // whatever others have changed
  /** What there was when a draft was begun: what others have changed since is a conflict only where
   *  the patch would take it back. */
  since?: T | null;
}

const TURNS = 3; // attempts against others who store at the same moment

export const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);
const isStruct = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

/** The merge patch (RFC 7396) that makes `after` of `before`: what is the same is not in it, lest it
 *  take back what somebody else changes there. Lists go whole. */
export function changes<T extends object>(before: T, after: T): Patched<T> {
  const patch: Record<string, unknown> = {};
  const has = before as Record<string, unknown>;
  for (const [name, wanted] of Object.entries(after)) {
    const was = has[name];
    if (same(was, wanted)) continue;
    patch[name] = isStruct(was) && isStruct(wanted) ? changes(was, wanted) : wanted;
  }
  return patch as Patched<T>;
}

/** What `before` would be with a patch of `changes`. */
export function merged<T extends object>(before: T, patch: Patched<T>): T {
  const has = before as Record<string, unknown>;
  const found = Object.entries(patch).map(([name, wanted]) => [name, isStruct(has[name]) && isStruct(wanted) ? merged(has[name], wanted) : wanted]);
  return { ...before, ...Object.fromEntries(found) };
}

/** Whether a patch would take back what has become of `since`. */
function takesBack(patch: unknown, since: unknown, now: unknown): boolean {
  if (isStruct(patch) && isStruct(since) && isStruct(now)) return Object.entries(patch).some(([name, wanted]) => takesBack(wanted, since[name], now[name]));
  return !same(since, now) && !same(patch, now);
}

/** Some members of T, and of its structs. */
export type Patched<T> = { [K in keyof T]?: T[K] extends readonly unknown[] ? T[K] : T[K] extends object ? Patched<T[K]> : T[K] };

class Shared {
  readonly told: Signal<Settings<unknown> | null> = signal(null);
  readonly problems = signal<readonly FieldProblem[]>([]);
  readonly conflict = signal<Conflict<unknown> | null>(null);
  readonly saving = signal(false);
  private last: Promise<unknown> = Promise.resolve();
  private turn = 0;
  private shown = 0;

  constructor(readonly name: string) {}

  reload = async (): Promise<void> => {
    const turn = ++this.turn;
    const told = await get<Settings<unknown>>(`/settings/${this.name}`);
    if (turn < this.shown) return; // one that was asked later is here already
    this.shown = turn;
    this.told.value = told;
  };

  /** One after the other: what somebody changes quickly is no conflict with himself. */
  save = (patch: Patch<unknown>, how: How<unknown> = {}): Promise<boolean> => {
    const saved = this.last.then(() => this.saveNow(patch, how));
    this.last = saved.catch(() => undefined);
    return saved;
  };

  private saveNow = async (made: Patch<unknown>, how: How<unknown>): Promise<boolean> => {
    const before = this.told.peek();
    const patch = typeof made === "function" ? before && made(before.settings) : made;
    this.forgive();
    if (!patch) return false;
    this.saving.value = true;
    try {
      const stored = await this.send(patch, before, how);
      if (stored) await this.reload().catch(() => undefined); // it is stored all the same
      else await this.compare(patch);
      return stored;
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      this.problems.value = problem.fields;
      return false;
    } finally {
      this.saving.value = false;
    }
  };

  /** The revision is of all settings: what others changed elsewhere is no conflict. False: there is one. */
  private async send(patch: unknown, before: Settings<unknown> | null, { force, since }: How<unknown>): Promise<boolean> {
    const path = `/settings/${this.name}`;
    if (force || !before) {
      await send(path, patch);
      return true;
    }
    const contested = (now: unknown): boolean => (since ? takesBack(patch, since, now) : !same(before.settings, now));
    let now = before;
    for (let turn = 0; turn < TURNS && !contested(now.settings); turn += 1) {
      try {
        await send(path, patch, { revision: now.revision });
        return true;
      } catch (problem) {
        if (!(problem instanceof Problem) || problem.status !== 412) throw problem;
        now = await get<Settings<unknown>>(path);
      }
    }
    return false;
  }

  private async compare(mine: object): Promise<void> {
    await this.reload();
    this.conflict.value = { mine, theirs: this.told.peek()?.settings };
  }

  forgive = (): void => {
    batch(() => {
      this.problems.value = [];
      this.conflict.value = null;
    });
  };

  peek = (): Pick<Section<unknown>, "value" | "problems" | "conflict"> => ({
    value: this.told.peek()?.settings ?? null,
    problems: this.problems.peek(),
    conflict: this.conflict.peek(),
  });

  may = (path = ""): boolean => {
    if (can("administrator")) return true;
    const whole = `/${this.name}${path}`;
    return can("operator") && !this.told.value?.system.some((system) => `${whole}/`.startsWith(`${system}/`));
  };
}

const sections = new Map<string, Shared>();

function shared(name: string): Shared {
  let found = sections.get(name);
  if (!found) sections.set(name, (found = new Shared(name)));
  return found;
}

/** Forget what was read, as when somebody else logs in. */
export function forgetSections(): void {
  sections.clear();
}

newestEvents.subscribe((fresh) => {
  for (const [name, section] of sections) {
    if (section.told.peek() && fresh.some(({ chain }) => concerns(chain[0]!, `/${name}`))) void section.reload().catch(() => undefined);
  }
});

whenBack(() => {
  for (const section of sections.values()) if (section.told.peek()) void section.reload().catch(() => undefined);
});

const NO_SCHEMA: Schema = {};

/** A section for a component: it is read at once, and follows what others change. */
export function useSection<T>(name: string): Section<T> {
  const section = shared(name);
  useEffect(() => void section.reload().catch((problem: unknown) => {
    if (problem instanceof Problem) section.problems.value = problem.fields;
  }), [section]);
  const told = section.told.value as Settings<T> | null;
  return {
    value: told?.settings ?? null,
    schema: told?.schema ?? NO_SCHEMA,
    revision: told?.revision ?? 0,
    system: told?.system ?? [],
    problems: section.problems.value,
    conflict: section.conflict.value as Conflict<T> | null,
    saving: section.saving.value,
    save: section.save as Section<T>["save"],
    reload: section.reload,
    peek: section.peek as Section<T>["peek"],
    forgive: section.forgive,
    may: section.may,
  };
}

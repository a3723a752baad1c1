// One entry of a list in the settings, edited while others may change the same list.

import { useState } from "preact/hooks";
import { same, type Section } from "../settings";
import { Notice } from "./basics";
import { MineOrTheirs } from "./conflict";
import { t } from "./words";

const TURNS = 3; // attempts against others who store at the same moment

/** Store what the settings by now come to; asked anew where somebody was faster. Whether it was done:
 *  if not, the section has the problems. null: nothing is to be stored. */
export async function persist<S>(section: Section<S>, patch: (now: S) => object | null): Promise<boolean> {
  for (let turn = 1; ; turn += 1) {
    if (await section.save(patch)) return true;
    if (section.peek().conflict === null || turn === TURNS) return false;
    section.forgive();
  }
}

export interface Place<S, T> {
  section: Section<S>;
  list: (settings: S) => readonly T[];
  key: (entry: T) => string;
  base: string; // pointer of the list: "/sip/accounts"
  /** The patch that puts the entry where it was (−1: it is new), and its place in what is stored. */
  arrange: (settings: S, entry: T, at: number) => { patch: object; at: number };
}

export interface Clash {
  name: string;
  mine: unknown;
  theirs: unknown;
}

export interface Entry<T> {
  value: T;
  write: (value: T) => void;
  dirty: boolean;
  base: string; // pointer of the entry, for its problems
  isNew: boolean;
  gone: boolean; // somebody has deleted it; the next save adds it again
  clashes: readonly Clash[]; // members that somebody else has changed as well
  save: (force?: boolean) => Promise<boolean>;
  takeTheirs: () => void;
}

/** first: what is shown at the start; key: of the entry that is edited, null: it is a new one. */
export function useEntry<S, T extends object>(place: Place<S, T>, first: T, key: string | null): Entry<T> {
  const [before, begin] = useState(first);
  const [value, write] = useState(first);
  const [known, name] = useState(key);
  const [at, stand] = useState(-1);
  const [gone, lose] = useState(false);
  const [clashes, say] = useState<readonly Clash[]>([]);
  const now = (settings: S): number => (known === null ? -1 : place.list(settings).findIndex((entry) => place.key(entry) === known));
  const save = (force = false): Promise<boolean> =>
    persist(place.section, (settings) => {
      const found = now(settings);
      if (known !== null && found < 0) {
        name(null);
        lose(true);
        return null;
      }
      const theirs = found < 0 ? undefined : place.list(settings)[found];
      const differing = theirs && !force ? clashesOf(before, value, theirs) : [];
      say(differing);
      if (differing.length) return null;
      const arranged = place.arrange(settings, theirs ? merged(before, value, theirs) : value, found);
      stand(arranged.at);
      return arranged.patch;
    });
  const takeTheirs = (): void => {
    const settings = place.section.peek().value;
    const theirs = settings === null ? undefined : place.list(settings)[now(settings)];
    if (theirs === undefined) return;
    begin(theirs);
    write(theirs);
    say([]);
  };
  return { value, write, dirty: !same(before, value), base: `${place.base}/${at}`, isNew: known === null, gone, clashes, save, takeTheirs };
}

/** What was entered upon what another has changed meanwhile: only what was touched counts. */
export function merged<T extends object>(before: T, entered: T, now: T): T {
  const touched = Object.entries(entered).filter(([name, value]) => !same(value, before[name as keyof T]));
  return { ...now, ...Object.fromEntries(touched) };
}

/** Members that both have changed, and to something else. */
export function clashesOf<T extends object>(before: T, entered: T, theirs: T): Clash[] {
  return Object.entries(entered)
    .map(([name, mine]) => ({ name, mine, old: before[name as keyof T] as unknown, theirs: theirs[name as keyof T] as unknown }))
    .filter((one) => !same(one.mine, one.old) && !same(one.theirs, one.old) && !same(one.mine, one.theirs));
}

/** Says that an entry was deleted meanwhile, or which of its members somebody else has changed too. */
export function EntryNotices<T>({ entry, titles, onSaved }: { entry: Entry<T>; titles: (name: string) => string; onSaved: () => void }) {
  if (entry.gone) return <Notice tone="fair" live>{t("entryGone")}</Notice>;
  if (!entry.clashes.length) return null;
  return (
    <MineOrTheirs onMine={() => void entry.save(true).then((done) => done && onSaved())} onTheirs={entry.takeTheirs}>
      <ul>
        {entry.clashes.map(({ name, mine, theirs }) => (
          <li key={name}>{`${titles(name)}: ${t("yours")} ${shown(mine)}, ${t("theirs")} ${shown(theirs)}`}</li>
        ))}
      </ul>
    </MineOrTheirs>
  );
}

const shown = (value: unknown): string => (typeof value === "object" && value !== null ? (Array.isArray(value) ? value.join(", ") : "***") : String(value ?? "–"));

// What somebody enters beside a section of the settings, and saves as a whole.

import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { useGuard } from "../router";
import { changes, merged, type Patched, type Section } from "../settings";
import { ConflictNotice } from "./conflict";

export interface Entered<T, P extends object> {
  value: P; // what differs from what is stored; empty: nothing
  dirty: boolean;
  since: T | null; // what there was when it was begun
  write: (value: P) => void;
  /** Whether it was stored. Places of the draft that somebody else has changed since it was begun are asked about. */
  save: (patch?: object) => Promise<boolean>;
  forget: () => void;
  /** Says what somebody else has changed as well; to be shown above the fields. */
  notice: ComponentChildren;
}

/** whole: the patch of the section that a draft comes to, where it is of a part of it. */
export function useDraft<T extends object, P extends object = Patched<T>>(section: Section<T>, whole: (draft: P) => object = (draft) => draft): Entered<T, P> {
  const [value, put] = useState<P>({} as P);
  const since = useRef<T | null>(null);
  const dirty = Object.keys(value).length > 0;
  useGuard(dirty);
  const write = (next: P): void => {
    if (!dirty) since.current = section.value;
    put(next);
  };
  const close = (): void => put({} as P);
  const sent = useRef<{ draft: P; patch: object }>({ draft: value, patch: {} });
  /** What was entered while that was on its way stays, and begins with it. */
  const arrived = ({ draft, patch }: { draft: P; patch: object }): void => {
    if (since.current) since.current = merged(since.current, patch as Patched<T>);
    put((now) => (now === draft ? ({} as P) : (changes(draft, now) as P)));
  };
  const save = async (patch: object = whole(value)): Promise<boolean> => {
    const mine = (sent.current = { draft: value, patch });
    const saved = await section.save(patch, { since: since.current });
    if (saved) arrived(mine);
    return saved;
  };
  const forget = (): void => {
    section.forgive();
    close();
  };
  const notice = dirty && <ConflictNotice section={section} onTheirs={close} onSaved={() => arrived(sent.current)} />;
  return { value, dirty, since: since.current, write, save, forget, notice };
}

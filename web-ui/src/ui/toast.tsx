// What is said for a moment, to the eye and to the ear.

import { signal } from "@preact/signals";
import { Problem } from "../api";
import type { Tone } from "./basics";
import { IconButton } from "./basics";
import { Icon } from "./icon";
import { t } from "./words";

const SHOWN = 6; // seconds; what went wrong stays twice as long
const TOASTS_MAX = 4;

interface Said {
  id: number;
  words: string;
  tone: Tone;
}

/** The windows that are open over the page, the topmost last: all below it is out of reach. */
export const windows = signal<readonly unknown[]>([]);

const said = signal<Said[]>([]);
const heard = signal("");
let count = 0;

/** Show words at the foot of the page for a while, and have them read out. */
export function toast(words: string, tone: Tone = "neutral"): void {
  const id = ++count;
  said.value = [...said.value, { id, words, tone }].slice(-TOASTS_MAX);
  setTimeout(() => forget(id), 1000 * SHOWN * (tone === "bad" ? 2 : 1));
}

/** Only have them read out. */
export function announce(words: string): void {
  heard.value = heard.value === words ? `${words}\u00a0` : words;
}

/** Do something of which a refusal is said; whether it was done. */
export async function attempt(action: () => Promise<unknown>, done = ""): Promise<boolean> {
  try {
    await action();
    if (done) toast(done, "good");
    return true;
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    toast(problem.message, "bad");
    return false;
  }
}

const forget = (id: number): void => {
  said.value = said.value.filter((one) => one.id !== id);
};

/** Where they are said; once in the page, and once in each window. */
export function Toasts({ window = null }: { window?: unknown }) {
  const inReach = (windows.value.at(-1) ?? null) === window;
  return (
    <>
      <div class="toasts" role="status" aria-live="polite">
        {inReach && said.value.map(({ id, words, tone }) => (
          <div key={id} class="toast" data-tone={tone}>
            <Icon name={tone === "bad" ? "error" : tone === "good" ? "check" : "info"} />
            <span>{words}</span>
            <IconButton small icon="close" label={t("close")} onClick={() => forget(id)} />
          </div>
        ))}
      </div>
      <div class="hidden" role="status" aria-live="polite">
        {inReach && heard.value}
      </div>
    </>
  );
}

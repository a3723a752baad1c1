// Why something happened: the chain from the effect back to what came from outside, in sentences.

import { useState } from "preact/hooks";
import { get, Problem } from "../api";
import type { Link } from "../types";
import { Button, Loading } from "./basics";
import { linkWords } from "./cause_words";
import { Time } from "./things";
import { t } from "./words";

/** The links of a chain, the effect first. */
export function Chain({ links }: { links: readonly Link[] }) {
  return (
    <ol class="chain">
      {links.map((link, n) => (
        <li key={`${link.serial} ${n}`} data-kind={link.kind}>
          <span>{linkWords(link)}</span> <small>{kindWords(link)}</small>
        </li>
      ))}
    </ol>
  );
}

function kindWords({ kind, at }: Link) {
  const words = { input: t("fromOutside"), command: t("order"), event: t("event"), rule: t("rule") }[kind] ?? kind;
  return (
    <>
      {words} · <Time at={at} seconds />
    </>
  );
}

/** "Why?" beside something that runs: asks the device once it is opened.
 *  of: its name, for those who hear the page; what: one of operation, sound, call, message, with its name, as of GET /api/v1/why. */
export function Why({ what, links, of }: { what?: Partial<Record<"operation" | "sound" | "call" | "message", string>>; links?: readonly Link[]; of?: string }) {
  const [chain, set] = useState<readonly Link[] | null>(links?.length ? links : null);
  const [problem, complain] = useState("");
  const [open, show] = useState(false);
  const turn = async (): Promise<void> => {
    show(!open);
    if (open || !what) return;
    try {
      complain("");
      set((await get<{ began: Link[] }>(`/why?${new URLSearchParams(what)}`)).began);
    } catch (refused) {
      if (!(refused instanceof Problem)) throw refused;
      if (!links?.length) complain(refused.message);
    }
  };
  return (
    <div class="why">
      <Button small kind="quiet" aria-expanded={open} aria-label={of && `${t("why")} ${of}`} onClick={() => void turn()}>
        {t("why")}
      </Button>
      {open && (problem ? <p class="error">{problem}</p> : chain ? <Chain links={chain} /> : <Loading />)}
    </div>
  );
}

export { callStateWords, functionWords, isQuiet, linkWords, partyWords, shortCause, soundWords } from "./cause_words";

// Whether the trail is as it was written, in words.

import { useState } from "preact/hooks";
import { get, Problem } from "../../../api";
import { Button, Card, CopyText, Notice } from "../../../ui";
import { t } from "./words";

interface Verdict {
  sound: boolean;
  entries: number;
  first: number;
  last: number;
  head: string;
  torn: number;
  problems: string[];
}

export function Verify() {
  const [verdict, tell] = useState<Verdict | null>(null);
  const [problem, complain] = useState("");
  const [busy, work] = useState(false);
  const verify = async (): Promise<void> => {
    work(true);
    tell(null);
    complain("");
    try {
      tell(await get<Verdict>("/audit/verify"));
    } catch (refused) {
      if (!(refused instanceof Problem)) throw refused;
      complain(refused.message);
    } finally {
      work(false);
    }
  };
  return (
    <Card title={t("verify")} class="audit-verify" actions={<Button icon="check" busy={busy} onClick={() => void verify()}>{t("verifyNow")}</Button>}>
      <p class="dim">{t("verifyHint")}</p>
      <div role="status">{verdict && <Found verdict={verdict} />}</div>
      <p class="error" role="alert">{problem}</p>
    </Card>
  );
}

function Found({ verdict }: { verdict: Verdict }) {
  const { sound, entries, first, last, head, torn, problems } = verdict;
  if (sound && entries === 0) return <Notice>{t("empty")}</Notice>;
  return (
    <div class="stack">
      <Notice tone={sound ? "good" : "bad"} title={t(sound ? "sound" : "unsound")}>
        {sound ? (
          t("soundWords", { n: entries, first: String(first), last: String(last) })
        ) : (
          <ul class="audit-problems">
            {problems.map((one) => (
              <li key={one}>{one}</li>
            ))}
          </ul>
        )}
        {torn > 0 && <p>{t("torn")}</p>}
      </Notice>
      <div class="audit-head">
        <strong>{t("head")}</strong>
        <CopyText text={head} label={t("copyHead")} />
        <small>{t("headHint")}</small>
      </div>
    </div>
  );
}

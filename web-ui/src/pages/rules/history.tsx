// Why a rule is active or not: how each condition stands, and what has touched the rule lately.

import { useEffect, useState } from "preact/hooks";
import { get, Problem } from "../../api";
import { status } from "../../live";
import type { Link } from "../../types";
import { Badge, Chain, Loading, Time, type Tone } from "../../ui";
import { fact, stands } from "./fact";
import { type Known, names } from "./known";
import type { Came, Rule, Stand, Standing } from "./model";
import { happens } from "./sentence";
import { Words } from "./sentence_view";
import { t } from "./words";

interface Record extends Came {
  at: number;
  time: string;
  outcome: string;
  words: string;
  failed: string;
  conditions: Stand[];
  why: Link[];
}

type Told = Standing & { history: Record[] };

const OUTCOMES = ["begun", "repeated", "resumed", "runs", "ended", "unmet", "not_fired", "waits", "too_soon", "changed", "loop", "too_often"] as const;
type Outcome = (typeof OUTCOMES)[number];
const TONES: Partial<globalThis.Record<Outcome, Tone>> = { begun: "good", repeated: "good", resumed: "good", ended: "neutral", loop: "bad", too_often: "bad", changed: "fair", unmet: "neutral", waits: "fair", too_soon: "fair" };

const outcomeWords = (outcome: string): string => ((OUTCOMES as readonly string[]).includes(outcome) ? t(`out_${outcome as Outcome}`) : outcome);

export function Why({ rule, known }: { rule: Rule; known: Known }) {
  const [told, tell] = useState<Told | null>(null);
  const [problem, complain] = useState("");
  const state = status.value?.rules.find(({ name }) => name === rule.name);
  const turn = `${state?.active} ${state?.history.at(-1)?.at ?? ""}`;
  useEffect(() => {
    const gone = new AbortController();
    get<Told>(`/rules/${encodeURIComponent(rule.name)}/history`, { signal: gone.signal })
      .then((answer) => (tell(answer), complain("")))
      .catch((refused: unknown) => refused instanceof Problem && complain(refused.message));
    return () => gone.abort();
  }, [rule.name, turn]);
  if (problem) return <p class="error">{problem}</p>;
  if (!told) return <Loading />;
  return (
    <div class="rules-why">
      {rule.when && (
        <p>
          <Words text={t("trigger_line", { what: happens(rule.when, names.value) })} />
        </p>
      )}
      {told.conditions.length > 0 && <Stands stands={told.conditions} known={known} />}
      <h3>{t("history")}</h3>
      {told.history.length === 0 && <p class="dim">{t("history_none")}</p>}
      <ol class="rules-history">
        {told.history.map((record) => (
          <Happened key={`${record.at} ${record.outcome} ${record.words}`} record={record} known={known} />
        ))}
      </ol>
    </div>
  );
}

function Stands({ stands: all, known }: { stands: readonly Stand[]; known: Known }) {
  return (
    <>
      <h3>{t("stands")}</h3>
      <ul class="rules-stands">
        {all.map((stand, at) => (
          <li key={at}>
            <Badge tone={stand.holds ? "good" : "neutral"} dot>
              {stand.holds ? t("is_so") : t("not_so")}
            </Badge>
            <span>
              <Words text={stands(stand, names.value)} />
              <small>
                {" "}
                {t("since")} {stand.time && <Time wall={stand.time} seconds />}
                {stand.by.event !== "settings" && <>, {<Words text={t("because", { what: fact(stand.by.event, stand.by.items, known, names.value) })} />}</>}
              </small>
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}

function Happened({ record, known }: { record: Record; known: Known }) {
  const missing = record.conditions.filter(({ holds }) => !holds);
  return (
    <li>
      <Time wall={record.time} seconds />
      <div>
        <Badge tone={record.failed ? "bad" : (TONES[record.outcome as Outcome] ?? "neutral")}>{outcomeWords(record.outcome)}</Badge>{" "}
        <Words text={t("because", { what: fact(record.event, record.items, known, names.value) })} />
        {missing.length > 0 && (
          <p class="dim">
            <Words text={t("missing", { what: missing.map((stand) => stands(stand, names.value)).join("; ") })} />
          </p>
        )}
        {record.failed && <p class="error">{t("failed", { words: record.failed })}</p>}
        {record.why.length > 0 && (
          <details>
            <summary>{t("why")}</summary>
            <Chain links={record.why} />
          </details>
        )}
      </div>
    </li>
  );
}

export { outcomeWords, TONES, type Outcome };

// What has just happened, each with its causes.

import { useState } from "preact/hooks";
import { events, skipped } from "../../live";
import type { Link } from "../../types";
import { Card, Chain, isQuiet, linkWords, Time } from "../../ui";
import { t } from "./words";

const SHOWN = 40;

export function Events() {
  const told = events.value.filter(({ chain }) => !isQuiet(chain[0]!)).slice(0, SHOWN);
  return (
    <Card title={t("events")} class="overview-events">
      {skipped.value > 0 && <p class="overview-none">{t("skipped", { n: skipped.value })}</p>}
      {told.length ? (
        <ol tabIndex={0} aria-label={t("events")}>
          {told.map(({ key, at, chain }) => (
            <li key={key} data-topic={chain[0]!.name.split("/")[0]}>
              <Time at={at} seconds />
              {chain.length > 1 ? <Caused chain={chain} /> : <span>{linkWords(chain[0]!)}</span>}
            </li>
          ))}
        </ol>
      ) : (
        <p class="overview-none">{t("noEvents")}</p>
      )}
    </Card>
  );
}

/** An event whose causes are drawn once somebody wants to know them. */
function Caused({ chain }: { chain: readonly Link[] }) {
  const [open, show] = useState(false);
  return (
    <details onToggle={(event) => show(event.currentTarget.open)}>
      <summary>{linkWords(chain[0]!)}</summary>
      {open && <Chain links={chain.slice(1)} />}
    </details>
  );
}

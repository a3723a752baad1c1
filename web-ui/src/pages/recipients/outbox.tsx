// What waits to be sent, and what became of the last messages.

import { useEffect, useState } from "preact/hooks";
import { del, get, Problem } from "../../api";
import { status, wallOffset } from "../../live";
import { can } from "../../session";
import type { Link } from "../../types";
import { attempt, Badge, Button, Card, Chain, confirm, Empty, Loading, Table, Time } from "../../ui";
import { when } from "../../words";
import { t } from "./words";

interface Message {
  id: string;
  recipient: string;
  kind: string;
  about: string;
  rule: string;
  ordered: string;
  attempts: number;
  why: (Omit<Link, "at"> & { at: string })[]; // instants of the calendar: they outlive a restart
}

interface Waiting extends Message {
  failure: string;
  retry: string | null;
  given_up: string;
}

interface Result extends Message {
  sent: boolean;
  words: string;
  ended: string;
}

const SHOWN = 50; // results in the page

export function Outbox({ names }: { names: readonly string[] }) {
  const [told, tell] = useState<{ waiting: Waiting[]; results: Result[] } | null>(null);
  const [problem, complain] = useState("");
  const turn = JSON.stringify(status.value?.outbox);
  const may = can("operator");
  const read = async (signal?: AbortSignal): Promise<void> => {
    try {
      tell(await get("/outbox", { signal }));
      complain("");
    } catch (refused) {
      if (refused instanceof Problem) complain(refused.message);
      else if (!signal?.aborted) throw refused;
    }
  };
  useEffect(() => {
    if (!may) return undefined;
    const gone = new AbortController();
    void read(gone.signal);
    return () => gone.abort();
  }, [turn, may]);
  const remove = async (message: Waiting): Promise<void> => {
    if (!(await confirm({ title: t("remove_sure"), words: `${message.about} ${t("remove_hint")}`, action: t("remove"), danger: true }))) return;
    await attempt(() => del(`/outbox/${encodeURIComponent(message.id)}`), t("removed"));
    await read();
  };
  return (
    <Card title={t("outbox")} class="recipients-outbox">
      {!may ? (
        <p class="dim">{t("outbox_operators")}</p>
      ) : problem ? (
        <p class="error">{problem}</p>
      ) : !told ? (
        <Loading />
      ) : told.waiting.length + told.results.length === 0 ? (
        <Empty icon="upload" title={t("outbox_none")} />
      ) : (
        <div class="stack">
          {told.waiting.length > 0 && <WaitingTable waiting={told.waiting} names={names} onRemove={(message) => void remove(message)} />}
          {told.results.length > 0 && <ResultsTable results={told.results.slice(0, SHOWN)} names={names} />}
        </div>
      )}
    </Card>
  );
}

const lane = (name: string, names: readonly string[]): string => (name === "mqtt" && !names.includes(name) ? t("broker") : name);

function WaitingTable({ waiting, names, onRemove }: { waiting: readonly Waiting[]; names: readonly string[]; onRemove: (message: Waiting) => void }) {
  return (
    <section aria-label={t("outbox_waiting")}>
      <h3>{t("outbox_waiting")}</h3>
      <Table
        caption={t("outbox_waiting")}
        rows={waiting}
        rowKey={({ id }) => id}
        columns={[
          { key: "to", title: t("to"), cell: (one) => <strong>{lane(one.recipient, names)}</strong> },
          { key: "about", title: t("about"), cell: (one) => <About message={one} /> },
          { key: "ordered", title: t("ordered"), narrow: true, cell: (one) => <Time wall={one.ordered} /> },
          { key: "attempts", title: t("attempts"), narrow: true, align: "end", cell: (one) => one.attempts },
          {
            key: "state",
            title: t("state"),
            cell: (one) => (
              <span>
                {one.failure && <span class="error">{one.failure}; </span>}
                {one.retry ? t("next", { time: when(one.retry) }) : t("now")}
              </span>
            ),
          },
          {
            key: "remove",
            title: t("remove"),
            hideTitle: true,
            narrow: true,
            cell: (one) => (
              <Button small icon="trash" aria-label={t("remove_about", { about: one.about })} onClick={() => onRemove(one)}>
                {t("remove")}
              </Button>
            ),
          },
        ]}
      />
    </section>
  );
}

function ResultsTable({ results, names }: { results: readonly Result[]; names: readonly string[] }) {
  return (
    <section aria-label={t("outbox_results")}>
      <h3>{t("outbox_results")}</h3>
      <Table
        caption={t("outbox_results")}
        rows={results}
        rowKey={({ id }) => id}
        columns={[
          { key: "ended", title: t("ended"), narrow: true, cell: (one) => <Time wall={one.ended} /> },
          { key: "to", title: t("to"), cell: (one) => <strong>{lane(one.recipient, names)}</strong> },
          { key: "about", title: t("about"), cell: (one) => <About message={one} /> },
          {
            key: "state",
            title: t("state"),
            cell: (one) => (
              <span>
                <Badge tone={one.sent ? "good" : "bad"}>{t(one.sent ? "sent" : "given_up")}</Badge> {one.words}
              </span>
            ),
          },
        ]}
      />
    </section>
  );
}

function About({ message }: { message: Message }) {
  const links: Link[] = message.why.map((link) => ({ ...link, at: Date.parse(link.at) / 1000 - wallOffset.value }));
  return (
    <div class="recipients-about">
      {message.about}
      {message.rule && (
        <small>
          {" "}
          · {t("rule")} {message.rule}
        </small>
      )}
      {links.length > 0 && (
        <details>
          <summary>{t("why")}</summary>
          <Chain links={links} />
        </details>
      )}
    </div>
  );
}

// The calls that were: looked at page by page, searched, and each with all that is known of it.

import { useSignalEffect } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { get, Problem } from "../../api";
import { connection, newestEvents } from "../../live";
import { can } from "../../session";
import { Badge, Button, Card, Empty, Loading, Notice } from "../../ui/basics";
import { Dialog } from "../../ui/dialog";
import { Choose, TextField } from "../../ui/fields";
import { Table, type Column } from "../../ui/lists";
import { Time } from "../../ui/things";
import { dateTime, fixed, number, span, told } from "../../words";
import { Direction, packets, toneOf } from "./call";
import { Ladder } from "./ladder";
import { codecName, isOne, own, party, reasonWords, searched, verdictWords, type Past, type PastCalls, type Which } from "./model";
import { t } from "./words";

const PAGE = 25; // calls that are asked for at first
const FURTHER = 500; // and each time that older ones are wanted
const SETTLED = 300; // milliseconds after the last end of a call until the list is read anew
const WHICH: readonly Which[] = ["all", "answered", "missed", "refused", "trouble"];

export function History({ onCall }: { onCall?: (to: string) => void }) {
  const { calls, next, problem, readOlder, busy } = usePast();
  const [text, search] = useState("");
  const [which, choose] = useState<Which>("all");
  const [open, show] = useState<Past | null>(null);
  const wanted = text.trim().toLowerCase();
  const found = (calls ?? []).filter((call) => isOne(which, call) && (!wanted || searched(call).includes(wanted)));
  return (
    <Card title={t("history")} class="calls-history">
      {problem && <Notice tone="bad" live>{t("history_broken", { words: problem })}</Notice>}
      {calls === null ? (
        !problem && <Loading />
      ) : calls.length === 0 ? (
        <Empty icon="calls" title={t("history_none")} />
      ) : (
        <>
          <div class="calls-filter">
            <TextField label={t("find")} hideLabel type="search" value={text} onChange={search} placeholder={t("find_hint")} />
            <Choose label={t("show")} hideLabel value={which} onChange={choose} choices={WHICH.map((value) => ({ value, label: t(`show_${value}`) }))} />
          </div>
          <Table class="calls-table" caption={t("history")} rows={found} rowKey={({ id }) => id} columns={columns(show, onCall)} empty={<p class="hint">{t("history_nothing", { n: calls.length })}</p>} />
          <footer class="calls-more">
            <small>{t("looked_at", { found: found.length, n: calls.length })}</small>
            {next !== null && (
              <Button small busy={busy} onClick={() => void readOlder()}>
                {t("more")}
              </Button>
            )}
          </footer>
        </>
      )}
      {open && <Details call={open} onClose={() => show(null)} />}
    </Card>
  );
}

/** The history as far as it was read; new calls come in by themselves. */
function usePast() {
  const [calls, keep] = useState<Past[] | null>(null);
  const [next, continueAt] = useState<number | null>(null);
  const [problem, complain] = useState("");
  const [busy, hold] = useState(false);
  const known = useRef<Past[] | null>(null);
  const waiting = useRef<ReturnType<typeof setTimeout>>(undefined);
  const take = (all: Past[]): void => {
    known.current = all;
    keep(all);
  };
  const read = async (query: string): Promise<PastCalls | null> => {
    try {
      const told = await get<PastCalls>(`/history/calls?${query}`);
      complain("");
      return told;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      complain(error.message);
      return null;
    }
  };
  const readNewest = async (): Promise<void> => {
    const told = await read(`limit=${PAGE}`);
    if (told === null) return;
    const oldest = told.calls.at(-1)?.id ?? 0;
    const ended = told.calls.filter((call) => call.ended !== null);
    const before = known.current;
    const joins = before !== null && (told.next === null || before.some(({ id }) => id >= oldest));
    take(joins ? [...ended, ...before.filter(({ id }) => id < oldest)] : ended);
    if (!joins) continueAt(told.next);
  };
  const readOlder = async (): Promise<void> => {
    if (next === null) return;
    hold(true);
    const told = await read(`limit=${FURTHER}&before=${next}`);
    hold(false);
    if (told === null) return;
    take([...(known.current ?? []), ...told.calls.filter((call) => call.ended !== null)]);
    continueAt(told.next);
  };
  const readSoon = (): void => {
    clearTimeout(waiting.current);
    waiting.current = setTimeout(() => void readNewest(), SETTLED);
  };
  useEffect(() => () => clearTimeout(waiting.current), []);
  useSignalEffect(() => {
    if (connection.value === "live") readSoon();
  });
  useSignalEffect(() => {
    if (newestEvents.value.some(({ chain: [link] }) => link?.name === "call/state_change" && link.items.state === "terminated")) readSoon();
  });
  return { calls, next, problem, readOlder, busy };
}

const lasted = (call: Past): string => (call.answered && call.ended ? span((Date.parse(call.ended) - Date.parse(call.answered)) / 1000) : "");

function columns(show: (call: Past) => void, onCall?: (to: string) => void): Column<Past>[] {
  return [
    { key: "direction", title: t("when"), narrow: true, cell: (call) => (
      <span class="calls-when">
        <Direction direction={call.direction} /> <Time wall={call.started} />
      </span>
    ) },
    { key: "who", title: t("who"), cell: (call) => (
      <span class="calls-party">
        <button type="button" class="link-button" aria-label={t("details_of", { party: party(call.remote_uri) })} onClick={() => show(call)}>
          {party(call.remote_uri)}
        </button>
        <small>{[call.direction === "incoming" ? t("to", { who: own(call) }) : t("as", { who: own(call) }), call.encryption && t("encrypted")].filter(Boolean).join(" · ")}</small>
      </span>
    ) },
    { key: "lasted", title: t("lasted"), align: "end", narrow: true, cell: (call) => <span class="figures">{lasted(call)}</span> },
    { key: "outcome", title: t("outcome"), cell: (call) => <Outcome call={call} /> },
    ...(onCall ? [{ key: "call", title: t("call_again"), hideTitle: true, narrow: true, cell: (call: Past) => (
      <Button small kind="quiet" icon="phone" aria-label={t("call_again_who", { party: party(call.remote_uri) })} onClick={() => onCall(party(call.remote_uri))}>
        {t("call_again")}
      </Button>
    ) }] : []),
  ];
}

function Outcome({ call }: { call: Past }) {
  const heard = call.answered !== null && call.verdict !== null;
  return (
    <span class="calls-outcome" title={call.words}>
      <Badge dot tone={heard ? toneOf(call.verdict!) : call.reason === "failed" ? "bad" : "neutral"}>{heard ? verdictWords(call.verdict!) : reasonWords(call.reason)}</Badge>
      {typeof call.mos === "number" && <small title={t("mos_hint")}>{t("mos", { score: fixed(call.mos) })}</small>}
      {!heard && call.words && <small>{call.words}</small>}
    </span>
  );
}

function Details({ call, onClose }: { call: Past; onClose: () => void }) {
  const [ladder, show] = useState(false);
  const rows: [string, string | null][] = [
    [t("who"), party(call.remote_uri)],
    [t("called"), party(call.local_uri)],
    [t("account"), call.account],
    [t("started"), dateTime(call.started)],
    [t("answered"), call.answered ? dateTime(call.answered) : t("never")],
    [t("ended"), call.ended ? dateTime(call.ended) : t("never")],
    [t("lasted"), lasted(call)],
    [t("why_ended"), call.words || reasonWords(call.reason)],
    [t("sound"), !call.verdict ? "" : verdictWords(call.verdict)],
    [t("cause"), told(call.cause ?? "")],
    ["MOS", typeof call.mos !== "number" ? "" : fixed(call.mos, 2)],
    [t("codec"), call.codec && codecName(call.codec)],
    [t("encryption"), call.encryption || (call.codec ? t("not_encrypted") : "")],
    [t("received"), typeof call.packets !== "number" ? "" : packets(call.packets, call.lost ?? 0)],
    [t("jitter"), typeof call.jitter_ms !== "number" ? "" : `${number(call.jitter_ms, 1)} ms`],
    [t("transport"), call.transport],
  ];
  return (
    <Dialog title={t("details_of", { party: party(call.remote_uri) })} wide onClose={onClose} footer={<Button onClick={onClose}>{t("close")}</Button>}>
      <dl class="calls-figures">
        {rows.filter(([, value]) => value).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {ladder && (
        <>
          <h3>{t("ladder")}</h3>
          <Ladder call={call.call} />
        </>
      )}
      {can("operator") && !ladder && (
        <div>
          <Button icon="list" onClick={() => show(true)}>
            {t("ladder_show")}
          </Button>
        </div>
      )}
    </Dialog>
  );
}

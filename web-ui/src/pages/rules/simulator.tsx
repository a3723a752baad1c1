// What rules would do: a history that is made up or was recorded, played by the device.

import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { post, Problem } from "../../api";
import { navigate } from "../../router";
import { can } from "../../session";
import type { FieldProblem } from "../../types";
import { Badge, Button, Card, Choose, Empty, IconButton, Menu, Notice, NumberField, Select, Table } from "../../ui";
import { linkWords } from "../../ui/causes";
import { number } from "../../words";
import { begun, offeredEvents } from "./catalog";
import { GroupedSelect, Items } from "./condition";
import { trial } from "./drafts";
import { fact, stands } from "./fact";
import { type Outcome, outcomeWords, TONES } from "./history";
import { type Known, names } from "./known";
import type { Came, Match, Rule, Stand } from "./model";
import { Words } from "./sentence_view";
import { type Entry, Timeline } from "./timeline";
import { t } from "./words";

const SHOWN = 200; // entries in the page
const EVENTS_MAX = 200; // that people make up here; the device takes 2000
const SECONDS_MAX = 31 * 24 * 3600;
const MINUTES = [1, 5, 10, 30, 60, 240, 1440];

interface Happening {
  at: number;
  event: string;
  items: Match;
}

interface Told extends Entry, Came {
  conditions: Stand[];
  orders: { name: string; items: Record<string, unknown> }[];
}

interface Result {
  timeline: Told[];
  active: string[];
  seconds: number;
  cut: string;
}

const composed = signal<Happening[]>([]); // stays while people go and come back
const CALL = "a"; // what made-up calls are called

/** What people mostly want to try, by name. */
function typical(known: Known): { label: string; events: Happening[] }[] {
  const call = (at: number, event: string, items: Match): Happening => ({ at, event, items: { call: CALL, direction: "incoming", account: known.accounts[0] ?? "", extension: known.extensions[0]?.number ?? "1001", ...items } });
  const both = (event: string, items: Match): Happening[] => [
    { at: 1, event, items: { ...items, active: "true" } },
    { at: 11, event, items: { ...items, active: "false" } },
  ];
  const [schedule] = known.intervals;
  return [
    {
      label: t("sim_preset_call"),
      events: [
        call(1, "call/state_change", { state: "ringing", reason: "initiated" }),
        call(1, "call/state", { state: "ringing" }),
        call(4, "call/state_change", { before: "ringing", state: "active", reason: "accepted_by_device" }),
        call(4, "call/state", { state: "active" }),
        call(20, "call/state_change", { before: "active", state: "terminated", reason: "terminated" }),
        call(20, "call/state", { state: "idle" }),
      ],
    },
    { label: t("sim_preset_input"), events: both("input/port", { port: "1", state: "closed" }).map((one, n) => (n ? { ...one, items: { ...one.items, state: "open" } } : one)) },
    { label: t("sim_preset_trigger"), events: both("input/manual_trigger", { trigger: "1" }) },
    { label: t("sim_preset_virtual"), events: both("input/virtual", { input: "1" }) },
    ...(schedule ? [{ label: t("sim_preset_schedule", { name: schedule }), events: both("schedule/interval", { schedule }).map((one) => ({ ...one, items: { ...one.items, again: "false" } })) }] : []),
  ];
}

export function Simulator({ known, rules }: { known: Known; rules: Rule[] }) {
  const [source, choose] = useState("made");
  const [minutes, reach] = useState(10);
  const [end, stop] = useState<number | null>(null);
  const [busy, wait] = useState(false);
  const [problems, complain] = useState<FieldProblem[]>([]);
  const [result, tell] = useState<Result | null>(null);
  const made = composed.value;
  const change = (next: Happening[]): void => {
    composed.value = next;
    complain([]);
  };
  const play = async (): Promise<void> => {
    wait(true);
    complain([]);
    const drafts = trial.value ? { rules: trial.value } : {};
    const wanted = source === "made" ? { events: made, ...(end === null ? {} : { seconds: end }) } : { recorded: minutes };
    try {
      tell(await post<Result>("/rules/simulate", { ...drafts, ...wanted }));
    } catch (refused) {
      if (!(refused instanceof Problem)) throw refused;
      complain(refused.fields);
      tell(null);
    } finally {
      wait(false);
    }
  };
  const order = (all: Happening[]): Happening[] => all.toSorted((a, b) => a.at - b.at);
  return (
    <div class="rules-simulator">
      <div class="page-head">
        <h1>{t("sim_title")}</h1>
        <Button icon="left" onClick={() => (trial.value ? history.back() : navigate("/rules"))}>
          {t("back_short")}
        </Button>
        <p>{t("sim_lead")}</p>
      </div>
      <div class="stack">
        {trial.value && (
          <Notice tone="accent" actions={<Button small onClick={() => (trial.value = null)}>{t("sim_stored_take")}</Button>}>
            {t("sim_drafts")}
          </Notice>
        )}
        <Card title={t("sim_events")}>
          <div class="stack">
            <Choose label={t("sim_source")} value={source} choices={[{ value: "made", label: t("sim_made") }, { value: "recorded", label: t("sim_recorded") }]} onChange={choose} />
            {source === "recorded" ? (
              <Select label={t("sim_minutes")} value={minutes} choices={MINUTES.map((one) => ({ value: one, label: one < 60 ? `${number(one)} ${t("minutes")}` : `${number(one / 60)} h` }))} onChange={reach} class="rules-short" />
            ) : (
              <>
                {made.length === 0 && (
                  <Empty icon="clock" title={t("sim_none")}>
                    {t("sim_none_hint")}
                  </Empty>
                )}
                <ol class="rules-composed">
                  {made.map((one, n) => (
                    <li key={n}>
                      <Composed happening={one} n={n} known={known} problems={problems} onChange={(next) => change(made.map((other, at) => (at === n ? next : other)))} />
                      <IconButton small icon="trash" label={t("sim_remove", { n: n + 1 })} onClick={() => change(made.filter((_, at) => at !== n))} />
                    </li>
                  ))}
                </ol>
                <div class="row">
                  <Menu label={t("sim_preset")} icon="list" items={typical(known).map(({ label, events }) => ({ label, onSelect: () => change(events) }))} />
                  <Button icon="plus" disabled={made.length >= EVENTS_MAX} onClick={() => change([...made, { at: (made.at(-1)?.at ?? 0) + 1, event: "", items: {} }])}>
                    {t("sim_add")}
                  </Button>
                </div>
                {made.length > 0 && <NumberField label={t("sim_end")} hint={t("sim_end_hint")} value={end} nullable min={0} max={SECONDS_MAX} unit={t("seconds")} onChange={stop} class="rules-short" />}
              </>
            )}
            {problems.filter(({ path }) => !/^\/events\/\d+\/(at|event|items)/.test(path)).map(({ path, message }) => (
              <Notice key={path + message} tone="bad" live>
                {message}
              </Notice>
            ))}
            <div class="row">
              <Button
                kind="primary"
                icon="play"
                busy={busy}
                disabled={!can("operator") || (source === "made" && (made.length === 0 || made.some(({ event }) => event === "")))}
                onClick={() => {
                  if (source === "made") change(order(made));
                  void play();
                }}
              >
                {t("sim_run")}
              </Button>
            </div>
          </div>
        </Card>
        {result && <Played result={result} known={known} rules={trial.value ?? rules} events={source === "made" ? made.map(({ at }) => at) : []} />}
      </div>
    </div>
  );
}

/** One event of a made-up history. */
function Composed({ happening, n, known, problems, onChange }: { happening: Happening; n: number; known: Known; problems: readonly FieldProblem[]; onChange: (happening: Happening) => void }) {
  const event = known.declared.events[happening.event];
  const said = (path: string): string | undefined => problems.find((one) => one.path === `/events/${n}${path}`)?.message;
  const choose = (topic: string): void => {
    const declared = known.declared.events[topic];
    if (!declared) return;
    const items = begun(declared).match;
    onChange({ ...happening, event: topic, items: topic.startsWith("call/") && declared.items.some(({ name }) => name === "call") ? { call: CALL, ...items } : items });
  };
  const below = problems.filter(({ path }) => path.startsWith(`/events/${n}/items/`)).map((one) => ({ ...one, path: one.path.replace(`/events/${n}/items`, "/match") }));
  const [open, show] = useState(happening.event === "");
  return (
    <div class="rules-happening" role="group" aria-label={t("sim_event_n", { n: n + 1 })}>
      <NumberField label={t("sim_at")} hideLabel value={happening.at} min={0} max={SECONDS_MAX} unit={t("seconds")} error={said("/at")} onChange={(at) => onChange({ ...happening, at: at ?? 0 })} />
      <p>{event ? <Words text={fact(happening.event, happening.items, known, names.value)} /> : <span class="dim">{t("sim_choose")}</span>}</p>
      <Button small kind="quiet" icon="edit" aria-expanded={open} onClick={() => show(!open)} aria-label={t("sim_edit", { n: n + 1 })} />
      {(open || below.length > 0) && (
        <div class="rules-items">
          <GroupedSelect label={t("sim_event")} value={happening.event} groups={offeredEvents(known.declared, false)} error={said("/event")} onChange={choose} />
          {event && <Items event={event} match={happening.items} known={known} problems={below} any="–" onChange={(items) => onChange({ ...happening, items })} />}
        </div>
      )}
    </div>
  );
}

function Played({ result, known, rules, events }: { result: Result; known: Known; rules: readonly Rule[]; events: readonly number[] }) {
  const touched = new Set(result.timeline.map(({ rule }) => rule));
  const order = [...rules.map(({ name }) => name).filter((name) => touched.has(name)), ...[...touched].filter((name) => !rules.some((rule) => rule.name === name))];
  return (
    <Card title={t("sim_result")} class="rules-played">
      <div class="stack" role="status">
        {result.cut && <Notice tone="fair">{t("sim_cut", { words: result.cut })}</Notice>}
        {result.timeline.length === 0 ? (
          <Empty icon="rules" title={t("sim_nothing")} />
        ) : (
          <>
            <Timeline entries={result.timeline} rules={order.slice(0, 30)} active={result.active} seconds={result.seconds} events={events} />
            {result.active.length > 0 && <p>{t("sim_still", { names: result.active.join(", ") })}</p>}
            <Table
              caption={t("sim_result")}
              rows={result.timeline.slice(0, SHOWN).map((entry, key) => ({ ...entry, key }))}
              rowKey={({ key }) => key}
              columns={[
                { key: "at", title: t("sim_time"), narrow: true, align: "end", cell: ({ at }) => <span class="figures">{number(at, 2)} s</span> },
                { key: "rule", title: t("sim_rule"), cell: ({ rule }) => <strong>{rule}</strong> },
                { key: "came", title: t("sim_came"), cell: (entry) => <span><Words text={fact(entry.event, entry.items, known, names.value)} /></span> },
                { key: "out", title: t("sim_out"), cell: (entry) => <Outcomes entry={entry} /> },
                { key: "orders", title: t("sim_orders"), cell: ({ orders, at }) => orders.map((one, n) => <div key={n}>{linkWords({ serial: 0, at, kind: "command", name: one.name, items: one.items })}</div>) },
              ]}
            />
          </>
        )}
      </div>
    </Card>
  );
}

function Outcomes({ entry }: { entry: Told }) {
  const missing = entry.conditions.filter(({ holds }) => !holds);
  return (
    <>
      <Badge tone={TONES[entry.outcome as Outcome] ?? "neutral"}>{outcomeWords(entry.outcome)}</Badge>
      {missing.length > 0 && (
        <p class="dim">
          <Words text={t("missing", { what: missing.map((stand) => stands(stand, names.value)).join("; ") })} />
        </p>
      )}
    </>
  );
}


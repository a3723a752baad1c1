// One condition or trigger: which event, and what of it counts.

import { useState } from "preact/hooks";
import type { FieldProblem } from "../../types";
import { Link } from "../../router";
import { type Choice, Field, Select, TextField } from "../../ui";
import { begun, eventTitle, itemsOf, itemTitle, type Offered, offeredEvents, valueTitle } from "./catalog";
import type { Known } from "./known";
import type { Condition, DeclaredEvent, Match } from "./model";
import { t } from "./words";

const ADDRESSES = new Set(["local_uri", "remote_uri"]);
const DIGITS = [..."0123456789*#ABCD"];
const INPUTS = 64; // virtual ones

/** What people choose one of many from, under headings. */
export function GroupedSelect({ label, value, groups, onChange, error, name, placeholder }: { label: string; value: string; groups: Offered[]; onChange: (value: string) => void; error?: string; name?: string; placeholder?: string }) {
  return (
    <Field label={label} error={error} name={name}>
      {(control) => (
        <select {...control} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
          {(placeholder !== undefined || value === "") && (
            <option value="" disabled={value !== ""} selected={value === ""}>
              {placeholder ?? t("choose")}
            </option>
          )}
          {groups.map((group) => (
            <optgroup key={group.title} label={group.title}>
              {group.entries.map((entry) => (
                <option key={entry.value} value={entry.value} selected={entry.value === value}>
                  {entry.label}
                </option>
              ))}
            </optgroup>
          ))}
        </select>
      )}
    </Field>
  );
}

const numbers = (count: number, name: (n: number) => string): Choice[] =>
  Array.from({ length: count }, (_, at) => ({ value: String(at + 1), label: [at + 1, name(at + 1)].filter(Boolean).join(" · ") }));

/** What of this device an item can name; null: anything may be entered. */
export function namedBy(topic: string, item: string, known: Known): Choice[] | null {
  const plain = (names: readonly string[]): Choice[] => names.map((name) => ({ value: name, label: name }));
  switch (`${topic} ${item}`) {
    case "schedule/interval schedule":
      return plain(known.intervals);
    case "schedule/pulse schedule":
      return plain(known.pulses);
    case "call/dtmf name":
      return plain(known.sequences);
    case "call/digit digit":
      return plain(DIGITS);
    case "sound/page page":
      return plain(known.pages);
    case "mqtt/state filter":
      return plain(known.filters.filter(({ stateful }) => stateful).map(({ filter }) => filter));
    case "mqtt/message filter":
      return plain(known.filters.filter(({ stateful }) => !stateful).map(({ filter }) => filter));
    case "input/port port":
    case "output/port port":
      return numbers(2, (n) => known.ports[n - 1]?.name ?? "");
  }
  switch (item) {
    case "account":
      return plain(known.accounts);
    case "line":
      return known.extensions.map(({ number, name }) => ({ value: number, label: name ? `${number} · ${name}` : number }));
    case "trigger":
      return numbers(known.triggers.length, (n) => known.triggers[n - 1] ?? "");
    case "input":
      return numbers(INPUTS, (n) => known.inputs[String(n)] ?? "");
    case "clip":
      return plain(known.clips);
    case "profile":
      return plain(known.profiles);
    case "rule":
      return topic.startsWith("rule/") ? plain(known.rules) : null;
    case "recipient":
    case "failing":
      return plain(known.recipients.map(({ name }) => name));
    default:
      return null;
  }
}

/** What may be proposed where anything may be entered. */
function proposed(item: string, known: Known): string[] {
  if (item === "extension" || item === "local_uri") return known.extensions.map(({ number }) => number).filter((number) => !number.includes("*"));
  return [];
}

interface ItemProps {
  event: DeclaredEvent;
  item: string;
  known: Known;
  wanted: string | undefined; // undefined: any
  onChange: (wanted: string | undefined) => void;
  error?: string;
  any?: string; // what it says where nothing is wanted
}

/** What is wanted of one item of an event. */
export function ItemField({ event, item, known, wanted, onChange, error, any = t("any") }: ItemProps) {
  const label = itemTitle(item);
  const values = event.items.find(({ name }) => name === item)?.values ?? null;
  const choices = values?.map((value) => ({ value, label: valueTitle(value) })) ?? namedBy(event.topic, item, known);
  if (choices) {
    const offered: Choice<string | null>[] = [{ value: null, label: any }, ...choices];
    return <Select<string | null> label={label} name={item} error={error} value={wanted ?? null} choices={offered} onChange={(next) => onChange(next ?? undefined)} />;
  }
  const hint = ADDRESSES.has(item) ? t("address_hint") : undefined;
  return <TextField label={label} name={item} hint={hint} error={error} value={wanted ?? ""} placeholder={any} maxLength={256} list={proposed(item, known)} onChange={(next) => onChange(next || undefined)} />;
}

/** The items of an event that count: those mostly wanted, the others below "More details". */
export function Items({ event, match, known, onChange, problems = [], any }: { event: DeclaredEvent; match: Match; known: Known; onChange: (match: Match) => void; problems?: FieldProblem[]; any?: string }) {
  const { main, more } = itemsOf(event, match);
  const [wide, widen] = useState(false);
  const change = (item: string, wanted: string | undefined): void => {
    const { [item]: _, ...others } = match;
    onChange(wanted === undefined ? others : { ...others, [item]: wanted });
  };
  const field = (item: string) => (
    <ItemField key={item} event={event} item={item} known={known} wanted={match[item]} onChange={(wanted) => change(item, wanted)} error={problems.find(({ path }) => path === `/match/${item}`)?.message} any={any} />
  );
  return (
    <>
      {main.map(field)}
      {more.length > 0 && (
        <details class="rules-more" open={wide} onToggle={(toggled) => widen(toggled.currentTarget.open)}>
          <summary>{t("details")}</summary>
          {wide && <div class="rules-items">{more.map(field)}</div>}
        </details>
      )}
    </>
  );
}

interface ConditionProps {
  condition: Condition | null; // null: not chosen yet
  trigger?: boolean;
  known: Known;
  onChange: (condition: Condition) => void;
  problems: FieldProblem[]; // paths from the condition on
  label: string;
}

export function ConditionFields({ condition, trigger = false, known, onChange, problems, label }: ConditionProps) {
  const event = condition ? known.declared.events[condition.event] : undefined;
  const choose = (topic: string): void => {
    const declared = known.declared.events[topic];
    if (declared) onChange(begun(declared));
  };
  const said = (path: string): string | undefined => problems.find((one) => one.path === path)?.message;
  const moments: Choice[] = trigger
    ? [{ value: "", label: t("fires_begins") }, { value: "invert", label: t("fires_ends") }]
    : [{ value: "", label: t("holds_is") }, { value: "invert", label: t("holds_not") }];
  return (
    <div class="rules-condition" role="group" aria-label={condition ? `${label}: ${eventTitle(condition.event)}` : label}>
      <div class="rules-items">
        <GroupedSelect label={t("event")} name="event" value={condition?.event ?? ""} groups={offeredEvents(known.declared, !trigger)} onChange={choose} error={said("/event") ?? said("") ?? said("/match")} />
        {condition && event && (
          <>
            {(event.lasting || condition.invert) && (
              <Select label={trigger ? t("fires") : t("holds")} name="invert" value={condition.invert ? "invert" : ""} choices={moments} error={said("/invert")} onChange={(next) => onChange({ ...condition, invert: next === "invert" })} />
            )}
            <Items event={event} match={condition.match} known={known} problems={problems} onChange={(match) => onChange({ ...condition, match })} />
            {condition.event === "input/virtual" && (
              <p class="hint">
                <Link path="/accessories">{t("virtual_urls")}</Link>
              </p>
            )}
          </>
        )}
      </div>
    </div>
  );
}

// One schedule as it is made or changed: by fields, or as its text; the device says when it comes.

import { useEffect, useState } from "preact/hooks";
import { post, Problem } from "../../api";
import type { Section } from "../../settings";
import { Button, Checks, Choose, Dialog, EntryNotices, Field, Form, IconButton, Notice, NumberField, Select, TextField, toast, Toggle, useEntry, useLeave, type Place } from "../../ui";
import { dateName, dayName, monthDay, weekdayName } from "./describe";
import { begun, dayOf, type Plan, read, type Repeat, REPEATS, WEEKDAYS, weekdayOf, write } from "./plan";
import { t } from "./words";

export interface Schedule {
  name: string;
  text: string;
}

const PAUSE = 350; // milliseconds without a key, after which the device is asked
const MAX_WITHOUT = 256;
const zones = (): string[] => Intl.supportedValuesOf("timeZone");

interface EditorProps {
  section: Section<Schedule[]>;
  was: string | null; // the name of the schedule that is changed; null: it is new
  start: Schedule;
  onClose: () => void;
}

const placeIn = (section: Section<Schedule[]>): Place<Schedule[], Schedule> => ({
  section,
  list: (all) => all,
  key: ({ name }) => name,
  base: "/schedules",
  arrange: (all, { name, text }, at) => {
    const one = { name: name.trim(), text };
    return at < 0 ? { patch: [...all, one], at: all.length } : { patch: all.with(at, one), at };
  },
});

export function Editor({ section, was, start, onClose }: EditorProps) {
  const entry = useEntry(placeIn(section), start, was);
  const { name, text } = entry.value;
  const [plan, replan] = useState<Plan | null>(() => read(start.text));
  const [asText, choose] = useState(plan === null);
  const upcoming = useUpcoming(text);
  const retext = (next: string): void => entry.write({ name, text: next });
  const { base } = entry;
  const said = (field: string): string | undefined => section.problems.find(({ path }) => path === `${base}/${field}`)?.message;
  const others = section.problems.filter(({ path }) => ![`${base}/name`, `${base}/text`].includes(path));
  const set = (part: Partial<Plan>): void => {
    const next = { ...(plan as Plan), ...part };
    replan(next);
    retext(write(next));
  };
  const close = (): void => {
    section.forgive();
    onClose();
  };
  const leave = useLeave(entry.dirty, close);
  const saved = (): void => {
    toast(t("saved", { name: name.trim() }), "good");
    close();
  };
  useEffect(() => {
    if (plan && write(plan) !== text) replan(read(text)); // somebody else's
  }, [text]);
  return (
    <Dialog
      wide
      title={was === null ? t("new_title") : t("edit_title", { name: was })}
      onClose={leave}
      footer={
        <>
          <Button onClick={leave}>{t("cancel")}</Button>
          <Button kind="primary" busy={section.saving} onClick={(event) => event.currentTarget.closest("dialog")?.querySelector("form")?.requestSubmit()}>
            {t("save")}
          </Button>
        </>
      }
    >
      <Form class="stack" onSubmit={() => void entry.save().then((done) => done && saved())} label={t("title")}>
        <EntryNotices entry={entry} titles={(field) => t(field as keyof Schedule)} onSaved={saved} />
        {others.map(({ path, message }) => (
          <Notice key={path + message} tone="bad" live>
            {message}
          </Notice>
        ))}
        <TextField label={t("name")} hint={t("name_hint")} name="name" value={name} maxLength={64} error={said("name")} onChange={(next) => entry.write({ name: next, text })} autoFocus={was === null} />
        <Choose
          label={t("how")}
          value={asText ? "text" : "fields"}
          choices={[
            { value: "fields", label: t("by_fields"), disabled: read(text) === null },
            { value: "text", label: t("by_text") },
          ]}
          onChange={(how) => {
            choose(how === "text");
            if (how === "fields") replan(read(text));
          }}
        />
        {asText || plan === null ? (
          <TextField label={t("text")} name="text" rows={4} hint={read(text) === null ? `${t("text_hint")} ${t("only_text")}` : t("text_hint")} value={text} error={said("text") ?? upcoming.problem} onChange={retext} />
        ) : (
          <PlanFields plan={plan} set={set} />
        )}
        {!asText && (said("text") ?? upcoming.problem) && <Notice tone="bad" live>{said("text") ?? upcoming.problem}</Notice>}
        <Upcoming upcoming={upcoming} />
        <button type="submit" hidden /> {/* Enter saves, though the button is outside */}
      </Form>
    </Dialog>
  );
}

interface Span {
  start: string;
  end: string | null;
}

interface Asked {
  next: Span[] | null; // null: not known yet
  problem: string | undefined;
}

/** When a text would occur, by the device. */
function useUpcoming(text: string): Asked {
  const [told, tell] = useState<Asked>({ next: null, problem: undefined });
  useEffect(() => {
    const gone = new AbortController();
    const ask = async (): Promise<void> => {
      try {
        const { next } = await post<{ next: Span[] }>("/schedules/preview", { text, count: 5 }, { signal: gone.signal });
        tell({ next, problem: undefined });
      } catch (refused) {
        if (!gone.signal.aborted && refused instanceof Problem) tell({ next: null, problem: refused.message });
      }
    };
    const timer = setTimeout(() => void ask(), PAUSE);
    return () => (clearTimeout(timer), gone.abort());
  }, [text]);
  return told;
}

/** "Monday, 4 March 2030 08:00 – 17:00"; times as they are in the zone of the schedule. */
export function spanWords({ start, end }: Span): string {
  const day = (at: string): string => dayName(at.slice(0, 10));
  const begin = `${day(start)}, ${start.slice(11, 16)}`;
  if (end === null) return begin;
  return `${begin} – ${end.slice(0, 10) === start.slice(0, 10) ? "" : `${day(end)}, `}${end.slice(11, 16)}`;
}

function Upcoming({ upcoming: { next, problem } }: { upcoming: Asked }) {
  return (
    <div class="schedules-upcoming" role="status">
      {!problem && next && (
        <>
          <h3>{next.length ? t("comes") : t("comes_never")}</h3>
          <ol>
            {next.map((one) => (
              <li key={one.start}>{spanWords(one)}</li>
            ))}
          </ol>
        </>
      )}
    </div>
  );
}

type Set = (part: Partial<Plan>) => void;

function PlanFields({ plan, set }: { plan: Plan; set: Set }) {
  return (
    <>
      <Choose label={t("kind")} value={plan.pulse ? "pulse" : "interval"} choices={[{ value: "interval", label: t("kind_interval") }, { value: "pulse", label: t("kind_pulse") }]} onChange={(kind) => set({ pulse: kind === "pulse", ...(kind === "pulse" ? { whole: false } : {}) })} />
      {!plan.pulse && <Toggle label={t("whole")} checked={plan.whole} onChange={(whole) => set({ whole })} />}
      <Span plan={plan} set={set} />
      <Recurrence plan={plan} set={set} />
      <Without plan={plan} set={set} />
      <TextField label={t("time_zone")} name="zone" hint={t("time_zone_hint")} value={plan.zone} list={zones()} maxLength={64} onChange={(zone) => set({ zone: zone.trim() })} class="schedules-short" />
    </>
  );
}

function DateField({ label, value, onChange, name }: { label: string; value: string; onChange: (date: string) => void; name: string }) {
  return (
    <Field label={label} name={name}>
      {(control) => <input {...control} type="date" required min="1970-01-01" max="2199-12-31" value={value} onInput={(event) => event.currentTarget.value && onChange(event.currentTarget.value)} />}
    </Field>
  );
}

function TimeField({ label, value, onChange, name }: { label: string; value: string; onChange: (time: string) => void; name: string }) {
  return (
    <Field label={label} name={name}>
      {(control) => <input {...control} type="time" required step={value.length > 5 ? 1 : 60} value={value} onInput={(event) => event.currentTarget.value && onChange(event.currentTarget.value)} />}
    </Field>
  );
}

function Span({ plan, set }: { plan: Plan; set: Set }) {
  const { pulse, whole, date, time, endDate, endTime } = plan;
  const from = (next: string): void => {
    const days = (dayOf(next).getTime() - dayOf(date).getTime()) / 86_400_000; // the end goes along
    const end = new Date(dayOf(endDate).getTime() + 86_400_000 * days).toISOString().slice(0, 10);
    const weekdays = plan.weekdays.length === 1 && plan.weekdays[0] === weekdayOf(date) ? [weekdayOf(next)] : plan.weekdays;
    set({ date: next, endDate: end, weekdays });
  };
  return (
    <div class="schedules-fields">
      <DateField label={whole ? t("first_date") : t("date")} name="date" value={date} onChange={from} />
      {!whole && <TimeField label={t("time")} name="time" value={time} onChange={(next) => set({ time: next })} />}
      {!pulse && <DateField label={whole ? t("last_date") : t("end_date")} name="end_date" value={endDate} onChange={(next) => set({ endDate: next })} />}
      {!pulse && !whole && <TimeField label={t("end_time")} name="end_time" value={endTime} onChange={(next) => set({ endTime: next })} />}
    </div>
  );
}

function Recurrence({ plan, set }: { plan: Plan; set: Set }) {
  const { repeat, interval, weekdays, nth, date, until, count } = plan;
  const week = Math.ceil(dayOf(date).getUTCDate() / 7);
  const ends = until ? "until" : count ? "count" : "never";
  return (
    <>
      <div class="schedules-fields">
        <Select<Repeat> label={t("repeat")} name="repeat" value={repeat} choices={REPEATS.map((value) => ({ value, label: t(value) }))} onChange={(next) => set({ repeat: next, nth: 0, weekdays: next === "weekly" ? [weekdayOf(date)] : [] })} />
        {repeat !== "once" && <NumberField label={t(`every_${repeat}`)} name="interval" value={interval} min={1} max={1000} step={1} onChange={(next) => set({ interval: next ?? 1 })} />}
        {repeat === "monthly" && <Select<number> label={t("month_day")} name="nth" value={nth} choices={[0, week > 4 ? -1 : week, -1].filter((one, n, all) => all.indexOf(one) === n).map((value) => ({ value, label: monthDay(date, value) }))} onChange={(next) => set({ nth: next })} />}
      </div>
      {repeat === "weekly" && <Checks label={t("weekdays")} name="weekdays" values={weekdays} choices={WEEKDAYS.map((value) => ({ value, label: weekdayName(value) }))} onChange={(next) => set({ weekdays: next })} />}
      {repeat !== "once" && (
        <div class="schedules-fields">
          <Select label={t("ends")} name="ends" value={ends} choices={(["never", "until", "count"] as const).map((value) => ({ value, label: t(`ends_${value}`) }))} onChange={(next) => set({ until: next === "until" ? date : "", count: next === "count" ? 10 : 0 })} />
          {ends === "until" && <DateField label={t("last")} name="until" value={until} onChange={(next) => set({ until: next })} />}
          {ends === "count" && <NumberField label={t("times")} name="count" value={count} min={1} max={10_000} step={1} onChange={(next) => set({ count: next ?? 1 })} />}
        </div>
      )}
    </>
  );
}

/** Days on which it is not. */
function Without({ plan, set }: { plan: Plan; set: Set }) {
  const [day, type] = useState("");
  const add = (): void => {
    if (day && !plan.without.includes(day)) set({ without: [...plan.without, day].toSorted() });
    type("");
  };
  return (
    <fieldset class="schedules-without">
      <legend>{t("without")}</legend>
      {plan.without.length > 0 && (
        <ul>
          {plan.without.map((one) => (
            <li key={one}>
              {dateName(one)}
              <IconButton small icon="close" label={t("remove_day", { day: dateName(one) })} onClick={() => set({ without: plan.without.filter((other) => other !== one) })} />
            </li>
          ))}
        </ul>
      )}
      <div class="row">
        <Field label={t("day")} hideLabel>
          {(control) => <input {...control} type="date" min="1970-01-01" max="2199-12-31" value={day} onInput={(event) => type(event.currentTarget.value)} />}
        </Field>
        <Button small icon="plus" disabled={!day || plan.without.length >= MAX_WITHOUT} onClick={add}>
          {t("add_day")}
        </Button>
      </div>
    </fieldset>
  );
}

/** A new schedule on a day. */
export const newOn = (date: string, name: string): Schedule => ({ name, text: write(begun(date)) });

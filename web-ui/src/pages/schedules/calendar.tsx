// What is on which day: a week, a month, or a list.

import { useEffect, useRef, useState } from "preact/hooks";
import { get } from "../../api";
import { newestEvents } from "../../live";
import { Button, Card, Choose, Empty, Loading, Notice } from "../../ui";
import { locale } from "../../words";
import { dayName, monthName, shortDay, weekdayName } from "./describe";
import { addDays, dayOf, WEEKDAYS, weekdayOf } from "./plan";
import { t } from "./words";

export interface Occurrence {
  schedule: string;
  start: string; // RFC 3339 in the zone of the device
  end: string | null;
  count: number; // for how many it stands
  last: string;
}

interface Told {
  time_zone: string;
  today: string;
  occurrences: Occurrence[];
  cut: string[];
}

type View = "week" | "month" | "agenda";
const DAYS: Record<View, number> = { week: 7, month: 42, agenda: 14 };
const TINTS = 6;
const SHOWN = 6; // entries of a day in a month

const monday = (date: string): string => addDays(date, -WEEKDAYS.indexOf(weekdayOf(date)));
const firstOfMonth = (date: string): string => `${date.slice(0, 7)}-01`;
const nextMonth = (date: string, by: number): string => {
  const day = dayOf(firstOfMonth(date));
  day.setUTCMonth(day.getUTCMonth() + by);
  return day.toISOString().slice(0, 10);
};

const firstShown = (view: View, at: string): string => (view === "month" ? monday(firstOfMonth(at)) : view === "week" ? monday(at) : at);
const turned = (view: View, at: string, by: number): string => (view === "month" ? nextMonth(at, by) : addDays(at, by * DAYS[view]));

interface Props {
  names: readonly string[]; // of all schedules, in their order: for their colours
  texts: string; // changes when a schedule does
  onOpen: (schedule: string) => void;
  onAdd?: (date: string) => void; // people may make one
}

export function Calendar({ names, texts, onOpen, onAdd }: Props) {
  const [view, show] = useState<View>(() => (matchMedia("(max-width: 48rem)").matches ? "agenda" : "week"));
  const [at, go] = useState<string | null>(null); // null: today
  const [told, tell] = useState<Told | null>(null);
  const [turn, again] = useState(0);
  useEffect(
    () => newestEvents.subscribe((fresh) => fresh.some(({ chain }) => /^(schedule\/|device\/time)/.test(chain[0]?.name ?? "")) && again((n) => n + 1)),
    [],
  );
  const today = told?.today;
  const from = at ?? today;
  const first = from && firstShown(view, from);
  useEffect(() => {
    const gone = new AbortController();
    const query = first ? `?from=${first}&days=${DAYS[view]}` : "?days=1";
    get<Told>(`/schedules/calendar${query}`, { signal: gone.signal })
      .then(tell)
      .catch(() => undefined); // the connection is told of elsewhere
    return () => gone.abort();
  }, [first, view, texts, turn]);
  if (!told || !first || !from) return <Loading />;
  const days = Array.from({ length: DAYS[view] }, (_, n) => addDays(first, n));
  const title = view === "month" ? monthName(from) : `${shortDay(first)} – ${shortDay(days.at(-1)!)} ${first.slice(0, 4)}`;
  const shared = { days, told, names, onOpen, onAdd, month: view === "month" ? from.slice(0, 7) : null };
  return (
    <Card
      class="schedules-calendar"
      title={<span aria-live="polite">{title}</span>}
      actions={
        <>
          <Button small icon="left" aria-label={t("before")} title={t("before")} onClick={() => go(turned(view, from, -1))} />
          <Button small onClick={() => go(null)}>{t("today")}</Button>
          <Button small icon="right" aria-label={t("after")} title={t("after")} onClick={() => go(turned(view, from, 1))} />
          <Choose<View> label={t("view")} hideLabel value={view} choices={(["week", "month", "agenda"] as const).map((value) => ({ value, label: t(value) }))} onChange={show} />
        </>
      }
    >
      {told.cut.length > 0 && <Notice tone="fair">{t("cut", { names: told.cut.join(", ") })}</Notice>}
      {view === "agenda" ? <Agenda {...shared} /> : <Grid {...shared} />}
      <p class="hint">{t("zone", { zone: told.time_zone })}</p>
    </Card>
  );
}

interface Shown {
  days: readonly string[];
  told: Told;
  names: readonly string[];
  month: string | null; // days of other months stand back
  onOpen: (schedule: string) => void;
  onAdd?: (date: string) => void;
}

/** What is on a day, those that have begun before it too. */
const on = (day: string, { occurrences }: Told): Occurrence[] => {
  const midnight = `${day}T00:00:00`;
  return occurrences.filter(({ start, end, count }) => start.slice(0, 10) === day || (end !== null && count === 1 && start.slice(0, 10) < day && end.slice(0, 19) > midnight));
};

/** The hours of an occurrence on a day. */
function hours({ start, end, count, last }: Occurrence, day: string): string {
  const clock = (at: string): string => at.slice(11, 16);
  if (count > 1) return `${clock(start)} · ${t("many", { n: count, last: clock(last) })}`;
  if (end === null) return clock(start);
  const begins = start.slice(0, 10) === day;
  const tomorrow = addDays(day, 1);
  const ends = end.slice(0, 10) === day || end.slice(0, 19) === `${tomorrow}T00:00:00`;
  const midnight = clock(start) === "00:00";
  if (begins && ends) return midnight && end.slice(0, 10) === tomorrow ? t("all_day") : t("from_to", { from: clock(start), to: end.slice(0, 10) === day ? clock(end) : "24:00" });
  if (begins) return midnight ? t("all_day") : t("from_to", { from: clock(start), to: "…" });
  return ends && end.slice(0, 10) === day ? t("until", { time: clock(end) }) : t("goes_on");
}

function Entry({ one, day, names, onOpen }: { one: Occurrence; day: string } & Pick<Shown, "names" | "onOpen">) {
  return (
    <button type="button" class="schedules-entry" data-tint={names.indexOf(one.schedule) % TINTS} data-pulse={one.end === null} onClick={() => onOpen(one.schedule)}>
      <b>{one.schedule}</b> <span>{hours(one, day)}</span>
    </button>
  );
}

/** A table of weeks; arrows go from day to day. */
function Grid({ days, told, names, month, onOpen, onAdd }: Shown) {
  const place = useRef<HTMLTableElement>(null);
  const [focus, take] = useState(days.includes(told.today) ? told.today : days[0]!);
  const held = days.includes(focus) ? focus : days[0]!;
  const weeks = Array.from({ length: days.length / 7 }, (_, n) => days.slice(7 * n, 7 * n + 7));
  const key = (event: KeyboardEvent, day: string): void => {
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7, Home: -WEEKDAYS.indexOf(weekdayOf(day)), End: 6 - WEEKDAYS.indexOf(weekdayOf(day)) }[event.key];
    const next = by === undefined ? undefined : addDays(day, by);
    if (next === undefined) return;
    event.preventDefault();
    if (!days.includes(next)) return;
    take(next);
    place.current?.querySelector<HTMLElement>(`[data-day="${next}"]`)?.focus();
  };
  return (
    <table class="schedules-grid" ref={place} data-weeks={weeks.length}>
      <caption class="hidden">{t("calendar")}</caption>
      <thead>
        <tr>
          {WEEKDAYS.map((day) => (
            <th key={day} scope="col" abbr={weekdayName(day)}>
              {weekdayName(day, "short")}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {weeks.map((week) => (
          <tr key={week[0]}>
            {week.map((day) => {
              const all = on(day, told);
              return (
                <td key={day} data-today={day === told.today} data-other={month !== null && !day.startsWith(month)}>
                  <button
                    type="button"
                    class="schedules-day"
                    data-day={day}
                    tabIndex={day === held ? 0 : -1}
                    aria-label={onAdd ? t("day_new", { day: dayName(day) }) : dayName(day)}
                    aria-current={day === told.today ? "date" : undefined}
                    aria-disabled={!onAdd}
                    onFocus={() => take(day)}
                    onKeyDown={(event) => key(event, day)}
                    onClick={() => onAdd?.(day)}
                  >
                    {Number(day.slice(8))}
                  </button>
                  <ul>
                    {all.slice(0, month ? SHOWN : 50).map((one) => (
                      <li key={one.schedule + one.start}>
                        <Entry one={one} day={day} names={names} onOpen={onOpen} />
                      </li>
                    ))}
                    {month && all.length > SHOWN && <li class="dim">+ {new Intl.NumberFormat(locale.value).format(all.length - SHOWN)}</li>}
                  </ul>
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Day after day, as a list. */
function Agenda({ days, told, names, onOpen }: Shown) {
  const full = days.map((day) => ({ day, all: on(day, told) })).filter(({ all }) => all.length > 0);
  if (full.length === 0) return <Empty icon="schedules" title={t("nothing")} />;
  return (
    <ul class="schedules-agenda">
      {full.map(({ day, all }) => (
        <li key={day}>
          <h3>{dayName(day)}</h3>
          <ul>
            {all.map((one) => (
              <li key={one.schedule + one.start}>
                <Entry one={one} day={day} names={names} onOpen={onOpen} />
              </li>
            ))}
          </ul>
        </li>
      ))}
    </ul>
  );
}

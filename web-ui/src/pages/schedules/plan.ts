// A schedule as people set it, and its text as the device keeps it: the properties of an iCalendar
// event (RFC 5545). What fields cannot say is edited as text.

export const WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"] as const;
export type Weekday = (typeof WEEKDAYS)[number];
export const REPEATS = ["once", "minutely", "hourly", "daily", "weekly", "monthly", "yearly"] as const;
export type Repeat = (typeof REPEATS)[number];

export interface Plan {
  zone: string; // empty: the device's
  pulse: boolean; // it only happens
  whole: boolean; // whole days
  date: string; // 2030-12-31
  time: string; // 08:00, or 08:00:30
  endDate: string; // of whole days, the last of them
  endTime: string;
  repeat: Repeat;
  interval: number; // every so many
  weekdays: Weekday[]; // of weekly
  nth: number; // of monthly: the first, second … or (-1) last such weekday; 0: that day of the month
  until: string; // a date, or empty
  count: number; // 0: as often as it comes
  without: string[]; // days on which it is not
}

const two = (n: number): string => String(n).padStart(2, "0");
const iso = (date: Date): string => `${date.getUTCFullYear()}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`;
export const dayOf = (date: string): Date => new Date(`${date}T00:00:00Z`);
export const addDays = (date: string, days: number): string => iso(new Date(dayOf(date).getTime() + 86_400_000 * days));
export const weekdayOf = (date: string): Weekday => WEEKDAYS[(dayOf(date).getUTCDay() + 6) % 7]!;

/** A new one on this day. */
export const begun = (date: string): Plan => ({
  zone: "", pulse: false, whole: false, date, time: "08:00", endDate: date, endTime: "17:00", repeat: "weekly", interval: 1,
  weekdays: [weekdayOf(date)], nth: 0, until: "", count: 0, without: [],
});

// --- to text ----------------------------------------------------------------------------------------

const basic = (date: string): string => date.replaceAll("-", "");
const stamp = (date: string, time: string): string => `${basic(date)}T${time.replaceAll(":", "").padEnd(6, "0")}`;

export function write(plan: Plan): string {
  const zone = plan.zone ? `;TZID=${plan.zone}` : "";
  const whole = plan.whole && !plan.pulse;
  const lines = [`DTSTART${zone}:${whole ? basic(plan.date) : stamp(plan.date, plan.time)}`];
  if (!plan.pulse) lines.push(`DTEND${zone}:${whole ? basic(addDays(plan.endDate, 1)) : stamp(plan.endDate, plan.endTime)}`);
  if (plan.repeat !== "once") lines.push(`RRULE:${rule(plan)}`);
  if (plan.without.length) lines.push(`EXDATE:${plan.without.map(basic).join(",")}`);
  return lines.join(" ");
}

function rule({ repeat, interval, weekdays, nth, date, until, count }: Plan): string {
  const days = WEEKDAYS.filter((one) => weekdays.includes(one));
  return [
    `FREQ=${repeat.toUpperCase()}`,
    interval > 1 && `INTERVAL=${interval}`,
    repeat === "weekly" && days.length && `BYDAY=${days.join(",")}`,
    repeat === "monthly" && nth !== 0 && `BYDAY=${nth}${weekdayOf(date)}`,
    until ? `UNTIL=${basic(until)}` : count > 0 && `COUNT=${count}`,
  ]
    .filter(Boolean)
    .join(";");
}

// --- from text --------------------------------------------------------------------------------------

const TIME = /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)?(Z?))?$/;
const DURATION = /^\+?P(?:(\d+)W|(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?)$/;

interface Read {
  date: string;
  time: string | null; // null: a date alone
  utc: boolean;
}

function time(text: string): Read | null {
  const found = TIME.exec(text);
  if (!found) return null;
  const [, year, month, day, hour, minute, second, utc] = found;
  const seconds = second && second !== "00" ? `:${second}` : "";
  return { date: `${year}-${month}-${day}`, time: hour === undefined ? null : `${hour}:${minute}${seconds}`, utc: utc === "Z" };
}

/** What fields can say of a text; null: it says more. */
export function read(text: string): Plan | null {
  const found: Record<string, { zone: string; value: string }> = {};
  for (const word of text.trim().split(/\s+/)) {
    const [, name = "", parameters = "", value = ""] = /^([A-Za-z-]+)((?:;[^:]+)*):(\S+)$/.exec(word) ?? [];
    const key = name.toUpperCase();
    const zone = /;TZID="?([^;"]+)"?/i.exec(parameters)?.[1] ?? "";
    if (!["DTSTART", "DTEND", "DURATION", "RRULE", "EXDATE"].includes(key) || key in found) return null;
    found[key] = { zone, value };
  }
  const start = time(found.DTSTART?.value ?? "");
  if (!start || !found.DTSTART) return null;
  const plan: Plan = { ...begun(start.date), zone: start.utc ? "UTC" : found.DTSTART.zone, repeat: "once", weekdays: [], time: start.time ?? "00:00", whole: start.time === null };
  return readEnd(plan, found.DTEND?.value, found.DURATION?.value) && readRule(plan, found.RRULE?.value) && readWithout(plan, found.EXDATE?.value) ? plan : null;
}

function readEnd(plan: Plan, end: string | undefined, duration: string | undefined): boolean {
  if (end !== undefined) {
    const at = time(end);
    if (!at || (at.time === null) !== plan.whole) return false;
    plan.endDate = plan.whole ? addDays(at.date, -1) : at.date;
    plan.endTime = at.time ?? "";
    return true;
  }
  if (duration !== undefined) {
    const found = DURATION.exec(duration);
    if (!found || plan.whole) return false;
    const [, weeks, days, hours, minutes, seconds] = found.map((one) => Number(one ?? 0));
    const length = 86_400 * (7 * weeks! + days!) + 3600 * hours! + 60 * minutes! + seconds!;
    const after = new Date(Date.parse(`${plan.date}T${plan.time.padEnd(8, ":00")}Z`) + 1000 * length);
    plan.endDate = iso(after);
    plan.endTime = after.toISOString().slice(11, 19).replace(/:00$/, "");
    return true;
  }
  plan.pulse = !plan.whole; // a date alone is that day
  plan.endDate = plan.date;
  return true;
}

function readRule(plan: Plan, text: string | undefined): boolean {
  if (text === undefined) return true;
  for (const part of text.toUpperCase().split(";")) {
    const [name, value = ""] = part.split("=");
    if (name === "FREQ") {
      const repeat = value.toLowerCase() as Repeat;
      if (!REPEATS.includes(repeat)) return false;
      plan.repeat = repeat;
    } else if (name === "INTERVAL") plan.interval = Number(value);
    else if (name === "COUNT") plan.count = Number(value);
    else if (name === "UNTIL") {
      const at = time(value);
      if (!at || at.time !== null) return false;
      plan.until = at.date;
    } else if (name === "BYDAY") {
      if (!readDays(plan, value)) return false;
    } else return false;
  }
  return (plan.repeat === "weekly" || plan.weekdays.length === 0) && (plan.repeat === "monthly" || plan.nth === 0);
}

function readDays(plan: Plan, value: string): boolean {
  const nth = /^(-1|[1-4])(MO|TU|WE|TH|FR|SA|SU)$/.exec(value);
  if (nth && nth[2] === weekdayOf(plan.date)) {
    plan.nth = Number(nth[1]);
    return true;
  }
  const days = value.split(",");
  if (!days.every((one) => (WEEKDAYS as readonly string[]).includes(one))) return false;
  plan.weekdays = days as Weekday[];
  return true;
}

function readWithout(plan: Plan, text: string | undefined): boolean {
  if (text === undefined) return true;
  const days = text.split(",").map(time);
  if (!days.every((at) => at !== null && at.time === null)) return false;
  plan.without = days.map((at) => at!.date);
  return true;
}

// A plan in words: "On workdays from 08:00 to 18:00".

import { locale } from "../../words";
import { addDays, dayOf, type Plan, WEEKDAYS, type Weekday, weekdayOf } from "./plan";
import { t } from "./words";

const WORKDAYS = "MO,TU,WE,TH,FR";
const MONDAY = "2024-01-01";

const format = (date: string, options: Intl.DateTimeFormatOptions): string => new Intl.DateTimeFormat(locale.value, { ...options, timeZone: "UTC" }).format(dayOf(date));

export const weekdayName = (day: Weekday, width: "short" | "long" = "long"): string => format(addDays(MONDAY, WEEKDAYS.indexOf(day)), { weekday: width });
export const dateName = (date: string): string => format(date, { day: "numeric", month: "short", year: "numeric" });
export const dayName = (date: string): string => format(date, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
export const monthName = (date: string): string => format(date, { month: "long", year: "numeric" });
export const shortDay = (date: string): string => format(date, { day: "numeric", month: "short" });

/** On which day of the month, as "on the last Friday". */
export const monthDay = (date: string, nth: number): string =>
  nth === 0 ? t("on_date", { n: dayOf(date).getUTCDate() }) : t("on_nth", { nth: t(`nth_${nth as 1}`), weekday: weekdayName(weekdayOf(date)) });

export function describe(plan: Plan): string {
  const ending = plan.until ? t("say_until", { date: dateName(plan.until) }) : plan.count ? t("say_times", { n: plan.count }) : "";
  const without = plan.without.length ? t("say_without", { n: plan.without.length }) : "";
  return main(plan) + ending + without + (plan.zone ? t("say_zone", { zone: plan.zone }) : "");
}

function main(plan: Plan): string {
  const n = plan.interval;
  switch (plan.repeat) {
    case "once":
      return t("say_once", { when: dated(plan) });
    case "minutely":
    case "hourly":
      return t(`say_${plan.repeat}`, { n, when: t("say_since", { date: dateName(plan.date), time: plan.time }) });
    case "daily":
      return t("say_daily", { n, when: timed(plan) });
    case "weekly":
      return t("say_weekly", { n, days: weekly(plan), when: timed(plan) });
    case "monthly":
      return t("say_monthly", { n, on: monthDay(plan.date, plan.nth), when: timed(plan) });
    case "yearly":
      return t("say_yearly", { n, date: shortDay(plan.date), when: timed(plan) });
  }
}

function weekly({ weekdays, date }: Plan): string {
  const days = weekdays.length ? weekdays : [weekdayOf(date)];
  return days.join(",") === WORKDAYS ? t("say_workdays") : days.map((day) => weekdayName(day, days.length > 2 ? "short" : "long")).join(", ");
}

/** The hours of a day on which it comes. */
function timed({ pulse, whole, time, endTime, date, endDate }: Plan): string {
  if (pulse) return t("say_at", { time });
  const days = Math.round((dayOf(endDate).getTime() - dayOf(date).getTime()) / 86_400_000);
  if (whole && days === 0) return t("say_whole");
  if (whole) return t("say_from", { from: weekdayName(weekdayOf(date)), to: weekdayName(weekdayOf(endDate)) });
  const later = days > 1 || (days === 1 && endTime > time) ? `${weekdayName(weekdayOf(endDate))} ` : "";
  return t("say_from", { from: time, to: later + endTime });
}

function dated({ pulse, whole, time, endTime, date, endDate }: Plan): string {
  if (pulse) return t("say_date_at", { date: dateName(date), time });
  if (whole) return date === endDate ? dateName(date) : t("say_date_from", { from: dateName(date), to: dateName(endDate) });
  return t("say_date_from", { from: `${dateName(date)} ${time}`, to: `${date === endDate ? "" : `${dateName(endDate)} `}${endTime}` });
}

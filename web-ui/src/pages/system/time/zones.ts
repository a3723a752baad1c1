// Time zones by name, and places in degrees, in words.

import { locale, number } from "../../../words";
import { t } from "./words";

export interface ClockTold {
  wall: string;
  zone: string; // empty where the system does not say its name
  zone_by: "settings" | "system";
  utc_offset_seconds: number;
  abbreviation: string;
  sync: { state: "synchronised" | "not synchronised" | "unknown"; words: string; error_seconds: number | null; server: string; until_next: number | null };
}

const MICRO = 1e6; // of a degree: a tenth of a metre

export const browserZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** The time of day in a zone; empty where the browser does not know it. */
export function timeIn(zone: string, at: number): string {
  try {
    return new Intl.DateTimeFormat(locale.value, { timeZone: zone, weekday: "short", hour: "2-digit", minute: "2-digit" }).format(at);
  } catch {
    return "";
  }
}

/** Zones that have all of these words in their names; those whose city begins so go first. */
export function zonesLike(text: string, zones: readonly string[]): string[] {
  const wanted = text.trim().toLowerCase().replaceAll(" ", "_");
  if (!wanted) return [];
  const begins = (zone: string): boolean => zone.toLowerCase().split("/").some((part) => part.startsWith(wanted));
  const fit = zones.filter((zone) => zone.toLowerCase().includes(wanted));
  return [...fit.filter(begins), ...fit.filter((zone) => !begins(zone))];
}

/** "UTC+02:00". */
export function offsetWords(offset: number): string {
  const minutes = Math.abs(Math.round(offset / 60));
  const two = (n: number): string => String(n).padStart(2, "0");
  return `UTC${offset < 0 ? "−" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/** Degrees out of degrees, minutes and seconds with a side, as in "52° 31′ 12″ S" or "52 31.2 S";
 *  null: it is something else. negative: the letters of the side that counts down. */
export function fromSexagesimal(text: string, negative: readonly string[], positive: readonly string[]): number | null {
  const found = /^\s*(\d+)\s*[°\s]\s*(?:(\d+(?:[.,]\d+)?)\s*['′’]?\s*)?(?:(\d+(?:[.,]\d+)?)\s*(?:"|″|”|'')?\s*)?([A-Z])\s*$/i.exec(text);
  if (!found) return null;
  const [minutes, seconds] = [found[2], found[3]].map((part) => Number((part ?? "0").replace(",", ".")));
  const side = found[4]!.toUpperCase();
  if (minutes! >= 60 || seconds! >= 60 || ![...negative, ...positive].includes(side)) return null;
  const degrees = Math.round((Number(found[1]) + minutes! / 60 + seconds! / 3600) * MICRO) / MICRO;
  return negative.includes(side) ? -degrees : degrees;
}

/** Degrees, minutes and seconds: "52° 31′ 12″ N". */
export function sexagesimal(degrees: number, sides: readonly [string, string]): string {
  const whole = Math.round(Math.abs(degrees) * 3600);
  return `${Math.floor(whole / 3600)}° ${Math.floor(whole / 60) % 60}′ ${whole % 60}″ ${degrees < 0 ? sides[1] : sides[0]}`;
}

/** The point of the compass that is nearest: 270 is west. */
export function compass(degrees: number): string {
  const points = t("compass").split(",");
  return `${points[Math.round((degrees * points.length) / 360) % points.length]} (${number(degrees, 1)}°)`;
}

// What a profile is, and what profiles are made of, as the device says it.

import type { Preview } from "../../ui/strobe";

export interface Duration {
  unit: "seconds" | "repetitions";
  value: number;
}
export interface Light {
  function?: "SignalingLED" | "AudioLED";
  pattern: string;
  colors: string[];
  speed?: number;
  intensity: number;
  priority: number;
  duration?: Duration | null;
}
export interface Siren {
  pattern: string;
  intensity: number;
  priority: number;
  duration?: Duration | null;
}
export interface Draft {
  name: string;
  description: string;
  light?: Light | null;
  siren?: Siren | null;
}
export interface Warned {
  code: string;
  words: string;
}
export interface Safety {
  flash_rate_hz: number;
  flashes_per_second: number;
  sides_at_once: number;
  saturated_red: boolean;
  warnings: Warned[];
}
export interface Profile extends Draft, Safety {
  running: boolean;
  used_by: string[];
}

export interface Speed extends Safety {
  speed: number;
  period_seconds: number;
}
export interface Pattern {
  name: string;
  words: string;
  min_colors: number;
  max_colors: number;
  default_colors: string[];
  default_speed: number;
  speeds: Speed[];
}
export interface Sound {
  name: string;
  words: string;
  seconds: number | null;
  url: string;
}
export interface Parts {
  light: Pattern[];
  colors: Record<string, string>;
  sounds: Sound[];
  limits: { profiles: number; name: number; description: number; intensities: number[]; default_intensity: number; priorities: number[]; default_priority: number; seconds: number; repetitions: number; functions: string[] };
}
export type Animation = Preview & Safety;

/** What is stored of a profile: without what the device says about it. */
export function stored(profile: Draft): Draft {
  const { name, description, light, siren } = profile;
  return { name, description, light: light ?? null, siren: siren ?? null };
}

/** A light of this pattern, as far as what was chosen so far fits it. */
export function fitted(light: Light, pattern: Pattern, colors: readonly string[]): Light {
  const speeds = pattern.speeds.map(({ speed }) => speed);
  const wanted = [...new Set([...light.colors, ...pattern.default_colors, ...colors])];
  const count = Math.min(Math.max(light.colors.length, pattern.min_colors), pattern.max_colors);
  return { ...light, pattern: pattern.name, colors: wanted.slice(0, count), speed: speeds.includes(light.speed ?? 0) ? light.speed : pattern.default_speed };
}

export function freshLight(parts: Parts): Light {
  const pattern = parts.light.find(({ name }) => name === "Blink") ?? parts.light[0]!;
  return fitted({ pattern: "", colors: [], intensity: parts.limits.default_intensity, priority: parts.limits.default_priority }, pattern, pattern.default_colors);
}

export const freshSiren = (parts: Parts): Siren => ({ pattern: parts.sounds[0]!.name, intensity: parts.limits.default_intensity, priority: parts.limits.default_priority });

/** Where the page can ask how a light looks. */
export function animationPath(light: Light): string {
  const query = new URLSearchParams({ intensity: String(light.intensity) });
  if (light.speed) query.set("speed", String(light.speed));
  if (light.colors.length) query.set("colors", light.colors.join(","));
  return `/patterns/light/${encodeURIComponent(light.pattern)}?${query}`;
}

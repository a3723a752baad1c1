// What the device says about clips and recordings.

import type { AudioSettings } from "../audio/model";

export interface Clip {
  number: number;
  name: string;
  factory: boolean; // every device has it
  format: string;
  sample_rate: number;
  channels: number;
  seconds: number;
  size: number;
  loudness: number | null; // LUFS
  peak_db: number; // dBTP
  problem: string;
  playing: boolean;
}

export interface Told {
  clips: Clip[];
  used_bytes: number;
  quota_bytes: number;
  accepted: string;
}

export interface Recording {
  name: string;
  source: string;
  began: string;
  seconds: number;
  size: number;
  active: boolean;
}

export interface MediaSettings extends AudioSettings {
  normalise_clips: boolean;
  clip_loudness: number;
  clip_quota_mb: number;
  recording_quota_mb: number;
  record_continuously: boolean;
}

export const NAME_MAX = 45; // characters
const STANDS_OUT = 4; // LU from the middle of the others: somebody will notice
const LOUDEST = 0; // dBTP: above that it is distorted, by most players

/** By how much people will notice a clip after the others that were added, in dB; 0: not at all. */
export function standsOut(clip: Clip, clips: readonly Clip[]): number {
  const others = clips.filter((other) => other !== clip && !other.factory && other.loudness !== null).map((other) => other.loudness!);
  if (clip.factory || clip.loudness === null || others.length === 0) return 0;
  const difference = clip.loudness - median(others);
  return Math.abs(difference) < STANDS_OUT ? 0 : Math.round(difference);
}

export const isOverdriven = (clip: Clip): boolean => clip.peak_db > LOUDEST;

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}

/** The name of a file, and a number where there is such a clip already. */
export function freeName(file: string, taken: ReadonlySet<string>): string {
  const name = file.replace(/\.[^.]*$/, "");
  for (let n = 1; ; n++) {
    const end = n === 1 ? "" : ` ${n}`;
    const free = name.slice(0, NAME_MAX - end.length) + end;
    if (!taken.has(free)) return free;
  }
}

/** The address that plays a clip so, for whoever may: in per cent, and −1 for ever (CLP-02). */
export function linkOf(clip: Clip, volumeDb: number, repeat: number | null): string {
  const volume = Math.round(100 * 10 ** (volumeDb / 20));
  return `${location.origin}/axis-cgi/playclip.cgi?clip=${clip.number}&volume=${volume}&repeat=${repeat ?? -1}`;
}

// What a backup has in it, and what would be different with it, seen before it is sent anywhere.

import { Zip } from "./zip";

const MANIFEST_MAX = 1 << 20; // bytes
const SETTINGS_MAX = 16 << 20;

interface Manifest {
  format: string;
  program: string;
  made: string;
  name: string;
  serial: string;
  secrets: "left out" | "encrypted";
}

export interface Contents extends Omit<Manifest, "format"> {
  clips: number;
  settings: Record<string, unknown>;
}

/** One place that would be otherwise. undefined: there is nothing. */
export interface Difference {
  path: string; // JSON pointer
  now: unknown;
  then: unknown;
}

/** null: it is no backup, or cannot be read; the device says more about it. */
export async function contentsOf(file: Blob): Promise<Contents | null> {
  try {
    const zip = await Zip.open(file);
    const { format, ...manifest } = await zip.json<Manifest>("manifest.json", MANIFEST_MAX);
    if (format !== "sipstrobe backup" || Number.isNaN(Date.parse(manifest.made))) return null;
    const { settings } = await zip.json<{ settings: Record<string, unknown> }>("settings.json", SETTINGS_MAX);
    return { ...manifest, settings, clips: zip.names.filter((name) => name.startsWith("clips/")).length };
  } catch (problem) {
    if (problem instanceof RangeError || problem instanceof SyntaxError || problem instanceof TypeError) return null;
    throw problem;
  }
}

/** What stays as it is, whatever is in the backup; the second where it has no secrets. */
const STAYS = ["/device/serial", "/web/users", "/web/tokens"];
const STAYS_WITHOUT = ["/certificates", "/web/certificate"];

export function differences(now: Record<string, unknown>, contents: Contents): Difference[] {
  const stays = contents.secrets === "encrypted" ? STAYS : [...STAYS, ...STAYS_WITHOUT];
  const found: Difference[] = [];
  const compare = (before: unknown, after: unknown, path: string): void => {
    if (stays.includes(path) || after === undefined) return; // what an older version did not know
    const [a, b] = [hidden(before), hidden(after)];
    if (JSON.stringify(a) === JSON.stringify(b)) return;
    if (isStruct(a) && isStruct(b)) {
      for (const name of Object.keys(b)) compare(a[name], b[name], `${path}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`);
    } else if (Array.isArray(a) && Array.isArray(b) && a.length === b.length) {
      a.forEach((entry: unknown, n) => compare(entry, b[n], `${path}/${n}`));
    } else found.push({ path, now: a, then: b });
  };
  compare(now, contents.settings, "");
  return found;
}

/** What stands for a secret says only that there is one. */
const hidden = (value: unknown): unknown => (isStruct(value) && typeof value.secret === "string" && Object.keys(value).length === 1 ? "•••" : value);

const isStruct = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

/** Where the page is with these settings; null: where it is now, as far as that can be said. */
export function addressWith(settings: Record<string, unknown>, changed: readonly Difference[]): string | null {
  if (!changed.some(({ path }) => /^\/web\/(port|https_port|mode)$/.test(path))) return null;
  const { mode, port, https_port: secure } = settings.web as { mode: string; port: number; https_port: number };
  const plain = mode === "http" || (mode === "both" && location.protocol === "http:");
  return plain ? `http://${location.hostname}:${port}/` : `https://${location.hostname}:${secure}/`;
}

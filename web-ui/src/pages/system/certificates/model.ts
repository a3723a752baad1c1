// Certificates and addresses as the device has them (HTT-01…04, CRT-01…05).

import { language, told } from "../../../words";

export const OWN = "self-signed"; // the one that the device makes for itself
export const FILE_MAX = 262_144; // bytes of a file with a certificate

export interface Certificate {
  name: string;
  state: "ready" | "requested";
  built_in: boolean;
  subject: string;
  issuer: string;
  names: string[];
  valid_from: string | null;
  valid_to: string | null;
  fingerprint_sha256: string;
  key_type: string;
  self_signed: boolean;
  chain: string[];
  used_by: string[]; // "/web/certificate", "/sip/tls/certificate"
  warnings: string[];
}

export interface Certificates {
  certificates: Certificate[];
  max: number;
}

export type Mode = "both" | "http" | "https";

export interface Web {
  mode: Mode;
  host: string;
  port: number;
  https_port: number;
  certificate: string;
  [more: string]: unknown;
}

type Scheme = "http" | "https";
const USUAL: Record<Scheme, number> = { http: 80, https: 443 };

const everywhere = (host: string): boolean => host === "0.0.0.0" || host === "::";

/** By what name the page is reached once it is so: that of the visit, but on another address. */
export function reachedBy(now: Web, next: Web, hostname: string): string {
  if (next.host === now.host || everywhere(next.host)) return hostname;
  return next.host.includes(":") ? `[${next.host}]` : next.host;
}

/** The address of the page, reached by this name. */
function address(scheme: Scheme, { port, https_port: httpsPort }: Web, name: string): string {
  const number = scheme === "http" ? port : httpsPort;
  return `${scheme}://${name}${number === USUAL[scheme] ? "" : `:${number}`}`;
}

export interface Standing {
  url: string;
  does: "serves" | "leads" | "nothing";
}

/** What is at each address once it is so. */
export function standings(web: Web, name: string): Standing[] {
  const http = web.mode === "https" ? "leads" : "serves";
  const https = web.mode === "http" ? "nothing" : "serves";
  return [
    { url: address("https", web, name), does: https },
    { url: address("http", web, name), does: http },
  ];
}

/** Where to go when `next` takes the place of `now`, for who looks at the page from here; null: one
 *  can stay, or has come by a way that the settings do not know, such as a proxy. */
export function moveTo(now: Web, next: Web, here: { origin: string; hostname: string }): string | null {
  const scheme: Scheme = here.origin.startsWith("https:") ? "https" : "http";
  if (here.origin !== address(scheme, now, here.hostname)) return null;
  const serving = standings(next, reachedBy(now, next, here.hostname)).filter(({ does }) => does === "serves").map(({ url }) => url);
  if (serving.some((url) => url === here.origin)) return null;
  return serving.find((url) => url.startsWith(`${scheme}:`)) ?? serving[0] ?? null;
}

const SOON = 30; // days

/** How much is left of it. */
export function term({ valid_from: from, valid_to: to }: Certificate, now: number): { key: "expired" | "expires" | "valid" | "future"; date: string; days: number } | null {
  if (from === null || to === null) return null;
  const days = Math.floor((Date.parse(to) - now) / 86_400_000);
  if (Date.parse(to) < now) return { key: "expired", date: to, days };
  if (Date.parse(from) > now) return { key: "future", date: from, days };
  return { key: days < SOON ? "expires" : "valid", date: to, days };
}

const GERMAN: readonly [RegExp, string][] = [
  [/^the certificate of (.+) expired on (.+)$/, "das Zertifikat von $1 ist am $2 abgelaufen"],
  [/^the certificate of (.+) expires on (.+)$/, "das Zertifikat von $1 läuft am $2 ab"],
  [/^the certificate of (.+) is not valid before (.+)$/, "das Zertifikat von $1 gilt nicht vor dem $2"],
  [/^each connection takes long with RSA of (\d+) bits; P-256 is faster$/, "mit RSA von $1 Bit dauert jede Verbindung lange; P-256 ist schneller"],
];

/** A warning of the device in the language of the page. */
export function warning(words: string): string {
  if (language.value !== "de") return words;
  const known = GERMAN.find(([pattern]) => pattern.test(words));
  return known ? words.replace(...known) : told(words);
}

/** How many certificates a text has. */
export const count = (pem: string): number => pem.match(/-----BEGIN CERTIFICATE-----/g)?.length ?? 0;

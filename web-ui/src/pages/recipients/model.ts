// Whom rules can send to, as the device has them.

import type { IconName } from "../../ui";

export const KINDS = ["mail", "http", "tcp", "sftp", "ftp", "share", "sip"] as const;
export type Kind = (typeof KINDS)[number];

export interface Recipient {
  kind: Kind;
  name: string;
  [field: string]: unknown;
}

export const MAX_RECIPIENTS = 20; // RCP-01

export const ICONS: Record<Kind, IconName> = { mail: "recipients", http: "globe", tcp: "link", sftp: "folder", ftp: "folder", share: "folder", sip: "calls" };

/** What is always in sight of each kind; the rest is below "More". */
export const BRIEF: Record<Kind, readonly string[]> = {
  mail: ["/name", "/to", "/sender", "/server", "/port", "/encryption", "/user", "/password"],
  http: ["/name", "/url", "/user", "/password", "/validate_certificate"],
  tcp: ["/name", "/host", "/port"],
  sftp: ["/name", "/host", "/port", "/folder", "/user", "/password", "/host_key"],
  ftp: ["/name", "/host", "/port", "/folder", "/user", "/password"],
  share: ["/name", "/host", "/share", "/folder", "/user", "/password"],
  sip: ["/name", "/uri", "/account"],
};

const text = (value: unknown): string => (value === null || value === undefined ? "" : String(value));

/** Where it goes to, in short. */
export function target(one: Recipient): string {
  switch (one.kind) {
    case "mail":
      return (one.to as string[]).join(", ");
    case "http":
      return text(one.url);
    case "sip":
      return text(one.uri);
    case "share":
      return `\\\\${text(one.host)}\\${text(one.share)}${one.folder ? `\\${text(one.folder)}` : ""}`;
    case "tcp":
      return `${text(one.host)}:${text(one.port)}`;
    default:
      return `${text(one.host)}${one.folder ? `/${text(one.folder).replace(/^\//, "")}` : ""}`;
  }
}

/** A name that none has yet. */
export function freeName(wanted: string, taken: readonly string[]): string {
  let name = wanted;
  for (let n = 2; taken.includes(name); n += 1) name = `${wanted.slice(0, 60)} ${n}`;
  return name;
}

// MQTT as the device has it: the section of the settings, its state, and what came.

import { events } from "../../live";
import type { Rule } from "../rules/model";

export const MAX_SUBSCRIPTIONS = 100;
export const MAX_CONDITIONS = 100;
export const MAX_TOPIC = 1024; // characters
export const PORTS: Record<Mqtt["protocol"], number> = { tcp: 1883, ssl: 8883, ws: 80, wss: 443 };

/** A message about the connection itself. */
export interface Said {
  send: boolean;
  use_default: boolean;
  topic: string;
  payload: string;
  retain: boolean;
  qos: number;
}

export interface Condition {
  topic_filter: string;
  retain: "none" | "property" | "all";
  qos: number;
}

export interface Publications {
  prefix: "default" | "custom";
  custom_prefix: string;
  include_topic: boolean;
  include_namespaces: boolean;
  include_serial: boolean;
  conditions: Condition[];
}

export interface Subscription {
  filter: string;
  use_prefix: boolean;
  kind: "stateless" | "stateful";
  true_payload: string;
  qos: number;
}

export interface Mqtt {
  active: boolean;
  protocol: "tcp" | "ssl" | "ws" | "wss";
  host: string;
  port: number | null;
  reconnect: boolean;
  connect_message: Said;
  disconnect_message: Said;
  last_will: Said;
  publications: Publications;
  subscriptions: Subscription[];
  [more: string]: unknown;
}

/** Of GET /status. words: what keeps it from the broker; empty: nothing does, or it still tries. */
export interface Client {
  active: boolean;
  connected: boolean;
  words: string;
  broker: string;
  prefix: string;
  sent: number;
  received: number;
  waiting: number;
  dropped: number;
}

export const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
export const keyOf = ({ filter, use_prefix }: Pick<Subscription, "filter" | "use_prefix">): string => `${use_prefix} ${filter}`;

/** What the broker is asked for. */
export const askedFor = ({ filter, use_prefix }: Subscription, prefix: string): string => (use_prefix ? `${prefix}/${filter}` : filter);

export const eventOf = ({ kind }: Subscription): string => (kind === "stateful" ? "mqtt/state" : "mqtt/message");

/** The names of the rules that wait for what comes on a subscription. */
export function users(rules: readonly Rule[], subscription: Subscription): string[] {
  const event = eventOf(subscription);
  const waits = (rule: Rule): boolean => [rule.when, ...rule.conditions].some((one) => one?.event === event && [undefined, subscription.filter].includes(one.match.filter));
  return rules.filter(waits).map(({ name }) => name);
}

/** What has become of a message that was given to the outbox; null: nothing yet. */
export function fate(id: string): { sent: boolean; words: string } | null {
  const told = events.value.find(({ chain }) => chain[0]!.name === "send/result" && chain[0]!.items.item === id)?.chain[0]!.items;
  return told ? { sent: told.sent === true, words: String(told.words) } : null;
}

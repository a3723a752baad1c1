// Ports, virtual inputs and light outputs as the device has them.

import { events } from "../../live";
import type { Link } from "../../types";
import type { Rule } from "../rules/model";

export const VIRTUAL_INPUTS = 64;
export const MAX_SECONDS = 31_536_000; // a year: for which something is switched by hand

export interface PortSettings {
  name: string;
  usage: string;
  direction: "input" | "output";
  normal_state: "open" | "closed";
  supervised: boolean;
  driver: string; // "none", or "gpio:CHIP/LINE"
  mode: "bistable" | "monostable";
  pulse_ms: number;
}

export interface Ports {
  port_1: PortSettings;
  port_2: PortSettings;
  virtual_inputs: Record<string, string>; // names, by number
}

/** Of GET /status. why: because of what it is as it is, the nearest cause first. */
export interface PortState {
  port: number;
  name: string;
  direction: "input" | "output";
  normal_state: "open" | "closed";
  state: string;
  active: boolean;
  supervised: boolean;
  driver: string;
  problem: string;
  why: Link[];
}

export interface VirtualInput {
  input: number;
  name: string;
  active: boolean;
  seconds_left: number | null;
  why: Link[];
}

/** What the device tells of a virtual input; one that it does not tell of rests and has no name. */
export function inputOf(told: readonly VirtualInput[], input: number): VirtualInput {
  const found = told.find((one) => one.input === input) ?? { input, name: "", active: false, seconds_left: null, why: [] };
  if (found.why.length) return found;
  const last = events.value.find(({ chain }) => chain[0]!.name === "input/virtual" && chain[0]!.items.input === input);
  return { ...found, why: last?.chain ?? [] };
}

type Event = "input/port" | "output/port" | "input/virtual";

/** The names of the rules that wait for this, or switch it; exactly: but not those for any of them. */
export function users(rules: readonly Rule[], event: Event, number: number, exactly = false): string[] {
  const item = event === "input/virtual" ? "input" : "port";
  const meant = exactly ? [String(number)] : [undefined, String(number)];
  const switches = event === "input/virtual" ? /virtual_input/ : /output/;
  const about = (rule: Rule): boolean =>
    [rule.when, ...rule.conditions].some((one) => one?.event === event && meant.includes(one.match[item])) || (switches.test(rule.action.do) && rule.action[item] === number);
  return rules.filter(about).map(({ name }) => name);
}

/** Where a camera or a program switches a virtual input; seconds: after which it is off again. */
export function address(input: number, active: boolean, seconds?: number): string {
  const duration = seconds === undefined ? "" : `&duration=${seconds}`;
  return `${location.origin}/axis-cgi/virtualinput/${active ? "activate" : "deactivate"}.cgi?schemaversion=1&port=${input}${duration}`;
}

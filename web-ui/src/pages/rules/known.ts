// What there is on this device that rules can name: accounts, profiles, clips, inputs, schedules, …

import { computed, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get } from "../../api";
import { newestEvents, status } from "../../live";
import { CLIP } from "../../ui";
import { actionSchemas, type Declared, type DeclaredAction, type DeclaredEvent } from "./model";
import type { Names } from "./said";
import type { Schema, Settings } from "../../types";

export interface Known {
  declared: Declared;
  schemas: Record<string, Schema>; // of each action
  root: Schema; // what their references lead into
  accounts: string[];
  extensions: { number: string; name: string }[];
  profiles: string[];
  clip_profiles: string[]; // those whose siren is a clip
  clips: string[];
  recipients: { name: string; kind: string }[];
  intervals: string[]; // schedules with an end
  pulses: string[];
  sequences: string[];
  pages: string[];
  triggers: string[]; // by their numbers, from 1
  ports: { name: string; direction: string }[]; // the same
  inputs: Record<string, string>; // names of virtual inputs, by number
  filters: { filter: string; stateful: boolean }[];
  rules: string[];
  lights: string[]; // patterns
  sounds: string[];
  colors: string[];
}

/** As much of GET /settings as rules can name. */
interface Tree {
  sip: { accounts: { name: string }[] };
  extensions: { number: string; name: string }[];
  profiles: { name: string; siren?: { pattern: string } | null }[];
  recipients: { name: string; kind: string }[];
  dtmf: { sequences: { name: string }[] };
  multicast: { sources: { label: string; kind?: string }[] };
  manual_triggers: string[];
  ports: { port_1: { name: string; direction: string }; port_2: { name: string; direction: string }; virtual_inputs: Record<string, string> };
  mqtt: { subscriptions: { filter: string; kind: string }[] };
  rules: { name: string }[];
}

/** GET /patterns, as much as rules can name. */
interface Patterns {
  light: { name: string }[];
  sounds: { name: string }[];
  colors: Record<string, string>;
}

const declared = signal<{ declared: Declared; section: Settings<unknown> } | null>(null);
const tree = signal<Tree | null>(null);
const clips = signal<string[]>([]);
const patterns = signal<Patterns>({ light: [], sounds: [], colors: {} });

export const known = computed<Known | null>(() => {
  const [fixed, has] = [declared.value, tree.value];
  if (!fixed || !has) return null;
  const schedules = (status.value?.schedules ?? []) as { name: string; kind: string }[];
  return {
    declared: fixed.declared,
    schemas: actionSchemas(fixed.section.schema),
    root: fixed.section.schema,
    accounts: has.sip.accounts.map(({ name }) => name),
    extensions: has.extensions,
    profiles: has.profiles.map(({ name }) => name),
    clip_profiles: has.profiles.filter(({ siren }) => siren?.pattern.startsWith(CLIP)).map(({ name }) => name),
    clips: clips.value,
    recipients: has.recipients,
    intervals: schedules.filter(({ kind }) => kind === "interval").map(({ name }) => name),
    pulses: schedules.filter(({ kind }) => kind === "pulse").map(({ name }) => name),
    sequences: [...new Set(has.dtmf.sequences.map(({ name }) => name))],
    pages: has.multicast.sources.map(({ label }) => label).filter(Boolean),
    triggers: has.manual_triggers,
    ports: [has.ports.port_1, has.ports.port_2],
    inputs: has.ports.virtual_inputs,
    filters: has.mqtt.subscriptions.map(({ filter, kind }) => ({ filter, stateful: kind === "stateful" })),
    rules: has.rules.map(({ name }) => name),
    lights: patterns.value.light.map(({ name }) => name),
    sounds: patterns.value.sounds.map(({ name }) => name),
    colors: Object.keys(patterns.value.colors),
  };
});

/** The names that people have given to numbered things, as far as they are known. */
export const names = computed<Names>(() => {
  const has = known.value;
  return {
    port: (number) => (has ? (has.ports[Number(number) - 1]?.name ?? "") : ""),
    input: (number) => has?.inputs[number] ?? "",
    trigger: (number) => has?.triggers[Number(number) - 1] ?? "",
  };
});

async function readDeclared(): Promise<void> {
  const [events, actions, section] = await Promise.all([
    get<{ events: DeclaredEvent[] }>("/events"),
    get<{ actions: DeclaredAction[] }>("/actions"),
    get<Settings<unknown>>("/settings/rules"),
  ]);
  declared.value = {
    declared: {
      events: Object.fromEntries(events.events.map((event) => [event.topic, event])),
      actions: Object.fromEntries(actions.actions.map((action) => [action.do, action])),
    },
    section,
  };
}

async function readTree(): Promise<void> {
  const [whole, library, made] = await Promise.all([get<{ settings: Tree }>("/settings"), get<{ clips: { name: string }[] }>("/clips"), get<Patterns>("/patterns")]);
  clips.value = library.clips.map(({ name }) => name);
  patterns.value = made;
  tree.value = whole.settings;
}

/** Read what there is, and again when somebody changes it. Throws nothing: what fails is asked again
 *  with the next change, and the page says meanwhile that it loads. */
export function useKnown(): Known | null {
  useEffect(() => {
    if (!declared.value) void readDeclared().catch(() => undefined);
    void readTree().catch(() => undefined);
    return newestEvents.subscribe((told) => {
      if (told.some(({ chain }) => chain[0]?.name === "device/settings")) void readTree().catch(() => undefined);
    });
  }, []);
  return known.value;
}

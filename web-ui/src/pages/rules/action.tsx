// What a rule does: which action, and its fields as the device declares them.

import type { FieldProblem, Schema } from "../../types";
import { Link } from "../../router";
import { type Choice, Notice, patternWords, SchemaForm } from "../../ui";
import { told } from "../../words";
import { offeredActions, valueTitle } from "./catalog";
import { GroupedSelect, namedBy } from "./condition";
import type { Known } from "./known";
import type { Action, Condition, Rule } from "./model";
import { ActionRisk } from "./risk";
import { t } from "./words";
import "./german";

const TEXTS = new Set(["send_http", "send_mail", "send_tcp", "upload_file", "publish_mqtt", "write_log"]);
const LIGHTS = ["SignalingLED", "AudioLED"];
const NOBODY: Condition = { event: "", match: {}, invert: false };

const asNumbers = (choices: Choice[] | null): Choice<unknown>[] => (choices ?? []).map(({ value, label }) => ({ value: Number(value), label }));
const orNone = (choices: readonly string[]): Choice<unknown>[] => [{ value: null, label: "–" }, ...choices.map((value) => ({ value, label: value }))];

/** What its fields can name, by their pointers. */
function choicesOf(action: Action, known: Known): Record<string, readonly (Choice<unknown> | string)[]> {
  const kinds = known.declared.actions[action.do]?.recipients ?? [];
  const patterns = action.do.endsWith("_siren") ? known.sounds : known.lights;
  const found: Record<string, readonly (Choice<unknown> | string)[]> = {
    "/profile": known.profiles,
    "/clip": action.do.startsWith("dial") || action.do === "stop_clip" ? orNone(known.clips) : known.clips,
    "/account": orNone(known.accounts),
    "/recipient": known.recipients.filter(({ kind }) => kinds.includes(kind)).map(({ name }) => name),
    "/trigger": asNumbers(namedBy("", "trigger", known)),
    "/input": asNumbers(namedBy("", "input", known)),
  };
  if (/output/.test(action.do)) found["/port"] = asNumbers(namedBy("output/port", "port", known));
  if (known.colors.length) found["/color"] = known.colors;
  if (patterns.length) found["/pattern"] = patterns.map((value) => ({ value, label: patternWords(value) }));
  return found;
}

/** A new action: what it must be told begins with the first thing that there is. */
export function begunAction(name: string, known: Known): Action {
  const schema = known.schemas[name];
  const action: Action = { do: name };
  const offered = choicesOf(action, known);
  for (const field of schema?.required ?? []) {
    if (field === "do") continue;
    const [first] = offered[`/${field}`] ?? [];
    const about = schema?.properties?.[field];
    const least = about?.type === "string" || about?.pattern ? "" : (about?.enum?.[0] ?? about?.minimum ?? "");
    action[field] = first === undefined ? least : typeof first === "object" ? first.value : first;
  }
  return action;
}

export function ActionFields({ rule, known, onChange, problems, base }: { rule: Rule; known: Known; onChange: (action: Action) => void; problems: readonly FieldProblem[]; base: string }) {
  const { action } = rule;
  const schema = known.schemas[action.do];
  const declared = known.declared.actions[action.do];
  const choices = choicesOf(action, known);
  const lacks = declared !== undefined && declared.recipients.length > 0 && choices["/recipient"]?.length === 0;
  return (
    <div class="rules-action">
      <GroupedSelect label={t("action")} name="do" value={action.do} groups={offeredActions(known.declared)} onChange={(name) => onChange(begunAction(name, known))} error={problems.find(({ path }) => path === base)?.message} />
      {declared?.lasting && <p class="hint">{t("lasting")}</p>}
      {lacks && (
        <Notice tone="fair" actions={<Link path="/recipients">{t("add_recipient")}</Link>}>
          {t("no_recipient")}
        </Notice>
      )}
      {schema && Object.keys(schema.properties ?? {}).length > 1 && (
        <SchemaForm
          key={action.do}
          schema={schema}
          root={known.root}
          value={action}
          onChange={(next: Action) => onChange({ ...next, do: action.do })}
          problems={problems.filter(({ path }) => path.startsWith(`${base}/`))}
          base={base}
          hide={["/do"]}
          brief={(schema.required ?? []).filter((name) => name !== "do").map((name) => `/${name}`).concat(extra(action.do))}
          choices={choices}
          hints={hintsOf(schema, choices)}
          values={Object.fromEntries(LIGHTS.map((light) => [light, valueTitle(light)]))}
        />
      )}
      <ActionRisk action={action} />
      {TEXTS.has(action.do) && <p class="hint">{placeholders(rule, known)}</p>}
    </div>
  );
}

/** What its fields mean; of what is chosen from a list, nothing need be said. Nothing at all is what
 *  the device calls null. */
function hintsOf(schema: Schema, choices: Record<string, unknown>): Record<string, string> {
  const hints = Object.entries(schema.properties ?? {}).map(([name, about]): [string, string] => {
    const path = `/${name}`;
    return [path, path in choices ? "" : told(about.description ?? "").replace(/\bnull:/g, "empty:").replace(/\bNull:/g, "Empty:")];
  });
  return Object.fromEntries(hints);
}

/** What people want to see of an action beside what it must be told. */
function extra(name: string): string[] {
  const fields: Record<string, string[]> = {
    run_profile: ["/priority"],
    start_profile: ["/priority"],
    answer_call: ["/all"],
    dial: ["/clip"],
    dial_while: ["/clip"],
    play_clip: ["/repeat", "/volume_db"],
    play_clip_while: ["/volume_db"],
    stop_clip: ["/clip"],
    set_volume: ["/volume_db", "/muted"],
    set_output: ["/active"],
    pulse_output: ["/seconds"],
    set_virtual_input: ["/active"],
    set_manual_trigger: ["/active"],
    set_maintenance: ["/active", "/seconds"],
    locate: ["/seconds"],
    show_color: ["/light"],
    run_light: ["/light", "/colors"],
    start_light: ["/light", "/colors", "/seconds"],
    start_siren: ["/seconds"],
    stop_signals: ["/what"],
    send_mail: ["/subject", "/body", "/recording"],
    send_http: ["/method", "/query", "/body"],
    upload_file: ["/file", "/text", "/recording"],
    publish_mqtt: ["/payload", "/qos", "/retain"],
    page_clip: ["/port"],
    page_while: ["/port"],
    write_log: ["/level"],
  };
  return fields[name] ?? [];
}

function placeholders(rule: Rule, known: Known): string {
  const events = [rule.when ?? NOBODY, ...rule.conditions].map(({ event }) => known.declared.events[event]).filter((event) => event !== undefined);
  const items = [...new Set(events.flatMap((event) => event.items.map(({ name }) => `{event.${name}}`)))];
  return t("placeholders", { rule: "{rule}", time: "{time}", device: "{device.name}", items: items.slice(0, 12).join(", ") || "–" });
}

// The two ports: their circuit as it is, a hand at the switch, and how they are set up (IOP-01…05).

import { useState } from "preact/hooks";
import { command } from "../../api";
import { status } from "../../live";
import { can } from "../../session";
import { changes, merged, type Patched, type Section } from "../../settings";
import { attempt, Badge, Button, Card, Choose, Form, Notice, NumberField, resolve, SchemaForm, toast, Toggle, useDraft } from "../../ui";
import type { Rule } from "../rules/model";
import { Driver } from "./driver";
import { MAX_SECONDS, users, type Ports, type PortSettings, type PortState } from "./model";
import { Since, UsedBy } from "./since";
import { t } from "./words";

const NUMBERS = [1, 2] as const;
const BRIEF = ["/name", "/direction", "/normal_state"];
const CIRCUITS = ["open", "closed", "shorted", "cut"] as const;

interface Props {
  section: Section<Ports>;
  rules: readonly Rule[];
}

export function PortCards(props: Props) {
  return (
    <div class="page-grid">
      {NUMBERS.map((number) => (
        <PortCard key={number} {...props} number={number} />
      ))}
    </div>
  );
}

function PortCard({ section, rules, number }: Props & { number: 1 | 2 }) {
  const state = ((status.value?.ports ?? []) as unknown as PortState[]).find(({ port }) => port === number);
  if (!state) return null;
  const event = state.direction === "input" ? "input/port" : "output/port";
  return (
    <Card class="accessories-port" title={state.name || t("port", { n: number })} data-port={String(number)} actions={<Badge>{t(`${state.direction}_n`, { n: number })}</Badge>}>
      <div class="accessories-state" data-active={state.active ? "yes" : "no"}>
        <Circuit closed={state.state === "closed" || state.state === "shorted"} />
        <div aria-live="polite">
          <strong>{state.active ? t("active") : t("normal")}</strong>
          <small>{t("circuit", { state: circuitWords(state.state), normal: circuitWords(state.normal_state) })}</small>
        </div>
      </div>
      <p class="dim">{state.driver === "none" ? t("stand_in") : t("gpio", { line: state.driver.slice("gpio:".length) })}</p>
      {state.problem && <Notice tone="bad" live>{state.problem}</Notice>}
      <Since why={state.why} />
      {can("operator") && (state.direction === "output" ? <Hand state={state} /> : <Simulated state={state} />)}
      <UsedBy rules={users(rules, event, number)} make={`event=${event}&port=${number}&active=true`} />
      <SetUp section={section} number={number} />
    </Card>
  );
}

const circuitWords = (state: string): string => (state === "undefined" ? t("unknown") : t(`is_${state as (typeof CIRCUITS)[number]}`));

/** A contact as it is drawn: closed, or its blade away. */
function Circuit({ closed }: { closed: boolean }) {
  return (
    <svg class="accessories-circuit" viewBox="0 0 64 32" aria-hidden="true" focusable="false">
      <path d={closed ? "M2 22h60" : "M2 22h18L44 6M44 22h18"} />
      <circle cx="20" cy="22" r="3" />
      <circle cx="44" cy="22" r="3" />
    </svg>
  );
}

/** An output switched by hand, for good or for some seconds. */
function Hand({ state: { port, active } }: { state: PortState }) {
  const [seconds, last] = useState<number | null>(2);
  const set = (on: boolean, more: { seconds?: number } = {}): void => void attempt(() => command("set-output", { port, active: on, ...more }));
  return (
    <div class="accessories-hand">
      <Toggle label={t("by_hand")} checked={active} onChange={(on) => set(on)} />
      <Form class="accessories-pulse" label={t("for_a_while")} onSubmit={() => seconds !== null && set(true, { seconds })}>
        <NumberField label={t("seconds")} inline value={seconds} min={0.1} max={MAX_SECONDS} unit="s" onChange={last} />
        <Button small type="submit" icon="clock">{t("for_a_while")}</Button>
      </Form>
    </div>
  );
}

/** An input as if its circuit were so: with the stand-in until it is told otherwise. */
function Simulated({ state: { port, state, active, supervised, driver } }: { state: PortState }) {
  const give = (order: { active: boolean } | { state: string }): void => void attempt(() => command("simulate-input", { port, ...order }));
  const hint = driver === "none" ? undefined : t("simulate_hint");
  if (!supervised) return <Toggle label={driver === "none" ? t("told") : t("simulate")} hint={hint} checked={active} onChange={(on) => give({ active: on })} />;
  const choices = CIRCUITS.map((value) => ({ value: value as string, label: t(`is_${value}`) }));
  return <Choose label={t("told_circuit")} value={state} choices={choices} onChange={(next) => give({ state: next })} />;
}

function SetUp({ section, number }: { section: Section<Ports>; number: 1 | 2 }) {
  const name = `port_${number}` as const;
  const draft = useDraft<Ports, Patched<PortSettings>>(section);
  const { dirty, forget } = draft;
  const value = merged(section.value![name], draft.value);
  const hidden = value.direction === "input" ? ["/mode", "/pulse_ms"] : ["/supervised"];
  const mine = section.problems.filter(({ path }) => (dirty && path === "") || `${path}/`.startsWith(`/ports/${name}/`));
  const save = async (): Promise<void> => {
    const stored = value.direction === "output" ? { ...draft.value, supervised: false } : draft.value;
    if (await draft.save({ [name]: stored })) toast(t("port_saved", { name: value.name || t("port", { n: number }) }), "good");
  };
  return (
    <details class="accessories-set-up">
      <summary>{t("set_up")}</summary>
      <Form class="stack" label={`${t("set_up")}: ${t("port", { n: number })}`} onSubmit={() => void save()}>
        {draft.notice}
        <SchemaForm
          schema={resolve({ $ref: "Port" }, { $defs: section.schema.$defs ?? {} })}
          root={section.schema}
          value={value}
          onChange={(next: PortSettings) => draft.write(changes(section.value![name], next))}
          problems={mine}
          base={`/ports/${name}`}
          brief={BRIEF}
          hide={value.mode === "bistable" ? [...hidden, "/pulse_ms"] : hidden}
          order={["/name", "/direction", "/normal_state", "/usage", "/driver"]}
          values={{ input: t("input"), output: t("output"), open: t("is_open"), closed: t("is_closed"), bistable: t("bistable"), monostable: t("monostable") }}
          render={{ "/driver": (field) => <Driver value={String(field.value)} onChange={field.onChange} error={field.error} disabled={field.disabled} /> }}
          readOnly={(path) => !section.may(`/${name}${path}`)}
        />
        {dirty && (
          <>
            <p class="hint">{t("outputs_back")}</p>
            <div class="form-foot">
              <Button onClick={forget}>{t("cancel")}</Button>
              <Button kind="primary" type="submit" busy={section.saving}>{t("save")}</Button>
            </div>
          </>
        )}
      </Form>
    </details>
  );
}

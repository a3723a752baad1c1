// The set-up assistant (SIP-03): how the device is called, who it is, what a call does, and whether it works.

import { useEffect, useRef, useState } from "preact/hooks";
import { status } from "../../live";
import type { Section } from "../../settings";
import { useSection } from "../../settings";
import { Button, CopyText, Dialog, Form, Loading, Notice, NumberField, persist, Select, TextField, toast, Toggle, useLeave } from "../../ui";
import { party, stateWords } from "../calls/model";
import { TRANSPORTS } from "./account";
import { effectOf, profiles } from "./extensions";
import {
  addressOf, adviceOf, firstAnswers, hasRole, needsProfile, plan, portOf, same, standingOf, stepOf, undoing,
  type Answers, type Effect, type Extension, type Plan, type Sip, type Standing, type Step, type Transport,
} from "./model";
import { Trial } from "./test";
import { t } from "./words";

const STEPS: readonly Step[] = ["way", "data", "effect", "check"];
const EFFECTS: readonly Effect[] = ["heard", "page", "ring", "alert", "rules"];

/** What was there before, to be put back. */
interface Before {
  sip: Sip;
  extensions: Extension[];
  done: Plan;
}

export function Assistant({ section, onClose }: { section: Section<Sip>; onClose: () => void }) {
  const extensions = useSection<Extension[]>("extensions");
  const [stored, settle] = useState<Answers>(() => ({ ...firstAnswers(section.value!), profile: profiles()[0] ?? "" })); // or as it begins
  const [answers, write] = useState(stored);
  const [step, go] = useState<Step>("way");
  const [before, keep] = useState<Before | null>(null);
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus(), [step]);
  const set = (part: Partial<Answers>): void => write({ ...answers, ...part });
  const problems = [...section.problems, ...extensions.problems];
  const store = async (): Promise<void> => {
    const done = await carryOut(section, extensions, answers, before);
    if (done) {
      keep(done);
      settle(answers);
      go("check");
      return;
    }
    const [first] = [...section.peek().problems, ...extensions.peek().problems];
    if (first) go(stepOf(first.path));
  };
  const next = (): void => (step === "effect" ? void store() : go(STEPS[STEPS.indexOf(step) + 1]!));
  const undo = async (): Promise<void> => {
    if (before && (await putBack(section, extensions, before))) {
      toast(t("undone"), "good");
      onClose();
    }
  };
  const leave = useLeave(!same(answers, stored), () => {
    section.forgive();
    extensions.forgive();
    onClose();
  });
  if (extensions.value === null) return null;
  return (
    <Dialog title={t("assistant")} wide onClose={leave}>
      <ol class="sip-steps" aria-hidden="true">
        {STEPS.map((one) => (
          <li key={one} data-now={one === step ? "" : undefined} data-past={STEPS.indexOf(one) < STEPS.indexOf(step) ? "" : undefined} />
        ))}
      </ol>
      <p class="sip-step-count">{t("step", { n: STEPS.indexOf(step) + 1, all: STEPS.length })}</p>
      <h3 tabIndex={-1} ref={title}>{t(`step_${step}`)}</h3>
      {step === "check" ? (
        <>
          <Check answers={answers} section={section} done={before!.done} />
          <div class="sip-buttons">
            <Button onClick={() => go("data")}>{t("back")}</Button>
            <Button title={t("undo_hint")} onClick={() => void undo()}>{t("undo")}</Button>
            <Button kind="primary" onClick={leave}>{t("done")}</Button>
          </div>
        </>
      ) : (
        <Form label={t(`step_${step}`)} onSubmit={next}>
          {problems.filter(({ path }) => !fieldOf(path)).map(({ path, message }) => <Notice key={path + message} tone="bad" live>{message}</Notice>)}
          {step === "way" && <Way answers={answers} set={set} />}
          {step === "data" && <Data answers={answers} set={set} error={errorsOf(problems)} />}
          {step === "effect" && <What answers={answers} set={set} error={errorsOf(problems)} known={extensions.value} />}
          <div class="sip-buttons">
            {step === "way" ? <Button onClick={leave}>{t("cancel")}</Button> : <Button onClick={() => go(STEPS[STEPS.indexOf(step) - 1]!)}>{t("back")}</Button>}
            <Button type="submit" kind="primary" busy={section.saving || extensions.saving} disabled={step === "effect" && needsProfile(answers.effect) && !profiles().length}>
              {t(step === "effect" ? "save_and_check" : "next")}
            </Button>
          </div>
        </Form>
      )}
    </Dialog>
  );
}

type Problems = readonly { path: string; message: string }[];
const FIELDS = ["port", "user_id", "password", "domain", "name", "authentication_id", "registrar", "caller_id", "transport", "number", "profile"];

/** The question that a problem belongs to; "" for none. */
const fieldOf = (path: string): string => (FIELDS.includes(path.split("/").at(-1) ?? "") ? path.split("/").at(-1)! : "");
const errorsOf = (problems: Problems) => (name: string): string | undefined =>
  problems.filter(({ path }) => fieldOf(path) === name).map(({ message }) => message).join("; ") || undefined;

/** Store both sections; what was there before. null: it was refused, and the first is as it was. */
async function carryOut(section: Section<Sip>, extensions: Section<Extension[]>, answers: Answers, before: Before | null): Promise<Before | null> {
  const sip = section.peek().value!;
  const list = extensions.peek().value!;
  let done = plan(answers, sip, list);
  const saved = await persist(section, (now) => (done = plan(answers, now, list)).sip);
  if (!saved) return null;
  const wanted = done.extensions;
  if (wanted !== null && !(await persist(extensions, () => wanted))) {
    const problems = extensions.peek().problems;
    if (!before) await section.save(undoing(done, sip));
    if (problems.length) return null;
  }
  return { sip: before?.sip ?? sip, extensions: before?.extensions ?? list, done };
}

/** Put back what the assistant has changed, unless somebody else has changed it since. */
async function putBack(section: Section<Sip>, extensions: Section<Extension[]>, { sip, extensions: list, done }: Before): Promise<boolean> {
  const now = section.peek().value!;
  const mine = Object.entries(done.sip).every(([name, value]) => name === "accounts" || same(now[name], value)) && same(now.accounts.map(({ name }) => name), done.sip.accounts?.map(({ name }) => name));
  if (!mine) {
    toast(t("undo_late"), "bad");
    return false;
  }
  const back = (await section.save(undoing(done, sip))) && (done.extensions === null || (await extensions.save(list)));
  if (!back) toast(t("undo_failed", { words: [...section.peek().problems, ...extensions.peek().problems].map(({ message }) => message).join("; ") }), "bad");
  return back;
}

// --- the questions ------------------------------------------------------------------------------------

interface StepProps {
  answers: Answers;
  set: (part: Partial<Answers>) => void;
  error: (name: string) => string | undefined;
}

/** One of a few answers, each with what it means. */
function Cards<T extends string>({ label, value, onChange, choices }: { label: string; value: T; onChange: (value: T) => void; choices: { value: T; title: string; words: string }[] }) {
  return (
    <fieldset class="sip-choices">
      <legend class="hidden">{label}</legend>
      {choices.map((one) => (
        <label key={one.value} class="sip-choice">
          <input type="radio" name="sip-choice" checked={one.value === value} onChange={() => onChange(one.value)} />
          <span>
            <strong>{one.title}</strong>
            <small>{one.words}</small>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

function Way({ answers, set }: Omit<StepProps, "error">) {
  const choices = [
    { value: "peer_to_peer" as const, title: t("way_peer_title"), words: t("way_peer") },
    { value: "registered" as const, title: t("way_pbx_title"), words: t("way_pbx") },
  ];
  const choose = (way: Answers["way"]): void => set({ way, number: way === "peer_to_peer" ? "*" : answers.user_id || "*" });
  return <Cards label={t("step_way")} value={answers.way} onChange={choose} choices={choices} />;
}

function Data({ answers, set, error }: StepProps) {
  if (answers.way === "peer_to_peer") {
    return (
      <>
        <p>{t("data_peer")}</p>
        <NumberField name="port" label={t("field_port")} value={answers.port} onChange={(port) => set({ port: port ?? answers.port })} min={1024} max={65535} step={1} error={error("port")} />
        <Toggle label={t("as_default")} checked={answers.as_default} onChange={(as_default) => set({ as_default })} />
      </>
    );
  }
  const text = (name: "user_id" | "domain" | "authentication_id" | "registrar" | "caller_id" | "name", required = false, placeholder = "") => (
    <TextField name={name} label={t(`field_${name}`)} value={answers[name]} onChange={(value) => set({ [name]: value.trim() === "" ? "" : name === "caller_id" || name === "name" ? value : value.trim(), ...(name === "user_id" ? { number: value.trim() || "*" } : {}) })} error={error(name)} required={required} placeholder={placeholder} maxLength={128} />
  );
  return (
    <>
      <p>{t("data_pbx")}</p>
      <div class="sip-pair">
        {text("user_id", true, "200")}
        <TextField name="password" type="password" label={t("field_password")} value={answers.password} onChange={(password) => set({ password })} error={error("password")} autocomplete="new-password" />
      </div>
      {text("domain", answers.registrar === "", "pbx.example")}
      <details open={["authentication_id", "registrar", "caller_id", "transport", "name"].some((name) => error(name))}>
        <summary>{t("data_more")}</summary>
        <div class="sip-pair">
          {text("authentication_id")}
          {text("registrar")}
          {text("caller_id")}
          {text("name")}
          <Select name="transport" label={t("field_transport")} value={answers.transport} onChange={(transport) => set({ transport })} choices={Object.entries(TRANSPORTS).map(([value, label]) => ({ value: value as Transport, label }))} error={error("transport")} />
        </div>
      </details>
      <Toggle label={t("as_default")} checked={answers.as_default} onChange={(as_default) => set({ as_default })} />
    </>
  );
}

function What({ answers, set, error, known }: StepProps & { known: readonly Extension[] }) {
  const all = profiles();
  const { effect } = answers;
  const before = known.find(({ number }) => number === answers.number);
  return (
    <>
      <Cards label={t("step_effect")} value={effect} onChange={(chosen) => set({ effect: chosen })} choices={EFFECTS.map((value) => ({ value, title: t(`effect_${value}`), words: t(`effect_${value}_hint`) }))} />
      {hasRole(effect) && (
        <div class="sip-pair">
          <TextField name="number" label={t("effect_number")} hint={t("effect_number_hint")} value={answers.number} onChange={(number) => set({ number: number.trim() })} error={error("number")} required maxLength={32} />
          {all.length > 0 && <Select name="profile" label={t("profile")} value={answers.profile} onChange={(profile) => set({ profile })} choices={all} error={error("profile")} />}
        </div>
      )}
      {needsProfile(effect) && !all.length && <Notice tone="fair">{t("effect_no_profile")}</Notice>}
      {hasRole(effect) && before && <Notice tone="fair">{t("effect_replaces", { number: before.number, role: t(`role_${before.role}`) })}</Notice>}
    </>
  );
}

// --- the check -----------------------------------------------------------------------------------------

function Check({ answers, section, done }: { answers: Answers; section: Section<Sip>; done: Plan }) {
  if (section.value === null) return <Loading />;
  const role = done.extensions?.[done.extension];
  return (
    <div class="sip-check" aria-live="polite">
      {answers.way === "peer_to_peer" ? <Reachable port={answers.port} user={done.sip.accounts?.[done.account]?.user_id ?? ""} /> : <Registered section={section} at={done.account} />}
      {role && <p class="hint">{t("check_role", { number: role.number, words: effectOf(role) })}</p>}
      <h4>{t("check_outgoing")}</h4>
      <Trial account={done.sip.accounts?.[done.account]?.default ? "" : (done.sip.accounts?.[done.account]?.name ?? "")} />
    </div>
  );
}

/** Whether the device listens, and whether a call arrives. */
function Reachable({ port, user }: { port: number; user: string }) {
  const told = status.value;
  const problem = told?.services.sip ?? "";
  const listens = portOf(told?.listening ?? []) === port;
  const arrived = told?.calls.find(({ direction }) => direction === "incoming");
  return (
    <>
      <Notice tone={problem ? "bad" : listens ? "good" : "neutral"} live title={problem ? t("check_bad") : listens ? t("check_good_peer") : t("check_listens_wait")}>
        {problem ? t("check_listens_not", { words: problem }) : listens ? t("check_listens", { port: String(port) }) : ""}
      </Notice>
      {listens && (
        <>
          <p>{t("check_dial")}</p>
          <p class="sip-dial"><CopyText text={addressOf(location.hostname, port, user)} /></p>
          {arrived ? <Notice tone="good" live>{t("check_arrived", { party: party(arrived.remote_uri), state: stateWords(arrived.state) })}</Notice> : <p class="hint">{t("check_waiting")}</p>}
        </>
      )}
    </>
  );
}

/** Whether the PBX takes the registration, in the device's own words. */
function Registered({ section, at }: { section: Section<Sip>; at: number }) {
  const account = section.value!.accounts[at];
  const told = (status.value?.registrations ?? []) as Standing[];
  const standing = account && standingOf(account, section.value!.accounts, told);
  const state = standing?.state ?? "trying";
  const advice = adviceOf(standing);
  const failed = state === "failed" || state === "given_up" || (state === "off" && standing?.words !== "");
  if (state === "registered") return <Notice tone="good" live title={t("check_good")}>{t("check_registered", { words: (standing?.words ?? "").replace(/^registered /, "") })}</Notice>;
  if (!failed) return <Loading words={t("check_registers", { server: party(standing?.server ?? "") || account?.domain || "" })} />;
  return (
    <Notice tone="bad" live title={t("check_bad")}>
      <p>{t("check_failed", { words: standing?.words ?? "" })}</p>
      {advice && <p>{t(advice)}</p>}
    </Notice>
  );
}

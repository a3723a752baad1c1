// One rule or several, as they are made: when they act, what they do, and what the device says of it.

import { useEffect, useState } from "preact/hooks";
import { navigate, useGuard } from "../../router";
import type { Section } from "../../settings";
import type { FieldProblem } from "../../types";
import { Button, Card, Choose, ConflictNotice, Field, Form, IconButton, Notice, TextField, toast, Toggle } from "../../ui";
import { ActionFields } from "./action";
import { ConditionFields } from "./condition";
import { type Draft, placed, trial, useChecked } from "./drafts";
import { type Known, names } from "./known";
import { type Condition, MAX_CONDITIONS, type Rule } from "./model";
import { sentence } from "./sentence";
import { Sentence } from "./sentence_view";
import { Warnings } from "./warnings";
import { t } from "./words";

interface EditorProps {
  section: Section<Rule[]>;
  rules: Rule[]; // as they are stored
  known: Known;
  start: Draft[];
  active: boolean; // one of them is active now
}

export function Editor({ section, rules, known, start, active }: EditorProps) {
  const [drafts, write] = useState(start);
  const [tried, tryIt] = useState(false); // to save: from then on what is wrong is told
  const changed = JSON.stringify(drafts) !== JSON.stringify(start) || start.some(({ was }) => was === null);
  const [leaving, leave] = useState(false);
  const checked = useChecked(rules, drafts);
  const { rules: all, places } = placed(rules, drafts);
  const problems = tried ? (section.problems.length ? section.problems : checked.problems) : [];
  useGuard(changed && !leaving);
  useEffect(() => {
    if (leaving) navigate("/rules");
  }, [leaving]);
  const change = (n: number, rule: Rule): void => {
    section.forgive();
    write(drafts.map((draft, at) => (at === n ? { ...draft, rule } : draft)));
  };
  const save = async (): Promise<void> => {
    tryIt(true);
    if (!(await section.save(all))) return;
    toast(drafts.length > 1 ? t("saved_all", { n: drafts.length }) : t("saved"), "good");
    leave(true);
  };
  const several = drafts.length > 1;
  const title = start.some(({ was }) => was !== null) ? t("edit_title") : several ? t("new_titles") : t("new_title");
  return (
    <Form onSubmit={() => void save()} label={title} class="rules-editor">
      <div class="page-head">
        <h1>{title}</h1>
        <Button icon="left" onClick={() => navigate("/rules")}>
          {t("cancel")}
        </Button>
        <Button
          icon="play"
          onClick={() => {
            trial.value = all;
            navigate("/rules/simulate");
          }}
        >
          {t("try")}
        </Button>
        <Button kind="primary" icon="check" type="submit" busy={section.saving}>
          {several ? t("save_all") : t("save")}
        </Button>
      </div>
      <div class="stack">
        <ConflictNotice section={section} onTheirs={() => leave(true)} onSaved={() => leave(true)} />
        {active && <Notice>{t("changed_active")}</Notice>}
        <Meanwhile rules={rules} start={start} onTheirs={(n, rule) => change(n, rule)} />
        {homeless(problems, places).map(({ path, message }) => (
          <Notice key={path + message} tone="bad" live>
            {message}
          </Notice>
        ))}
        {drafts.map((draft, n) => (
          <DraftCard key={n} closed={several && n > 0} rule={draft.rule} known={known} problems={problems} base={`/rules/${places[n]}`} onChange={(rule) => change(n, rule)} />
        ))}
        <div class="rules-verdict" role="status">
          {checked.state === "busy" ? <p class="dim">{t("check_busy")}</p> : checked.state === "unsound" ? <p class="dim">{t("check_later")}</p> : checked.warnings.length === 0 && <Notice tone="good">{t("check_good")}</Notice>}
          <Warnings warnings={checked.warnings} />
        </div>
      </div>
    </Form>
  );
}

/** What others did to a rule while it is edited here. */
function Meanwhile({ rules, start, onTheirs }: { rules: readonly Rule[]; start: readonly Draft[]; onTheirs: (n: number, rule: Rule) => void }) {
  const [seen, see] = useState(() => start.map(({ was }) => JSON.stringify(rules.find(({ name }) => name === was))));
  return (
    <>
      {start.map(({ was }, n) => {
        if (was === null) return null;
        const now = rules.find(({ name }) => name === was);
        if (!now) return <Notice key={was} tone="fair" live title={t("gone")}>{t("gone_hint")}</Notice>;
        if (JSON.stringify(now) === seen[n]) return null;
        const settle = (): void => see(seen.map((one, at) => (at === n ? JSON.stringify(now) : one)));
        return (
          <Notice
            key={was}
            tone="fair"
            live
            title={t("meanwhile", { name: was })}
            actions={
              <>
                <Button small onClick={settle}>{t("keep_mine")}</Button>
                <Button small kind="primary" onClick={() => (settle(), onTheirs(n, now))}>{t("take_theirs")}</Button>
              </>
            }
          />
        );
      })}
    </>
  );
}

const homeless = (problems: readonly FieldProblem[], places: readonly number[]): FieldProblem[] =>
  problems.filter(({ path }) => !places.some((at) => path.startsWith(`/rules/${at}/`) || path === `/rules/${at}`));

interface DraftProps {
  rule: Rule;
  known: Known;
  problems: readonly FieldProblem[];
  base: string;
  closed: boolean; // at first: of several, the others are seen as sentences
  onChange: (rule: Rule) => void;
}

function DraftCard({ rule, known, problems, base, closed, onChange }: DraftProps) {
  const [shut, close] = useState(closed);
  const under = (path: string): FieldProblem[] => problems.filter((one) => one.path === base + path || one.path.startsWith(`${base}${path}/`)).map((one) => ({ ...one, path: one.path.slice(base.length + path.length) }));
  const set = (part: Partial<Rule>): void => onChange({ ...rule, ...part });
  return (
    <Card class="rules-draft" data-rule={rule.name}>
      <Sentence text={sentence(rule, known.declared.actions, names.value)} class="rules-sentence rules-preview" />
      {shut && !under("").length ? (
        <Button small icon="edit" aria-label={t("edit_name", { name: rule.name })} onClick={() => close(false)}>
          {t("show_fields")}
        </Button>
      ) : (
        <Fields rule={rule} known={known} problems={problems} base={base} under={under} set={set} />
      )}
    </Card>
  );
}

type FieldsProps = Pick<DraftProps, "rule" | "known" | "problems" | "base"> & Pick<WhenProps, "under" | "set">;

function Fields({ rule, known, problems, base, under, set }: FieldsProps) {
  const whole = problems.find(({ path }) => path === base || path === `${base}/conditions`)?.message;
  return (
    <>
      <TextField label={t("name")} name="name" hint={t("name_hint")} value={rule.name} maxLength={64} error={under("/name")[0]?.message} onChange={(name) => set({ name })} />
      <When rule={rule} known={known} under={under} whole={whole} set={set} />
      <section class="rules-part" aria-label={t("action_legend")}>
        <h2>{t("action_legend")}</h2>
        <ActionFields rule={rule} known={known} problems={problems} base={`${base}/action`} onChange={(action) => set({ action })} />
      </section>
      <section class="rules-part rules-rest" aria-label={t("enabled")}>
        <Interval value={rule.minimum_interval} error={under("/minimum_interval")[0]?.message} onChange={(minimum_interval) => set({ minimum_interval })} />
        <Toggle label={t("enabled")} checked={rule.enabled} onChange={(enabled) => set({ enabled })} />
      </section>
    </>
  );
}

interface WhenProps {
  rule: Rule;
  known: Known;
  under: (path: string) => FieldProblem[];
  whole: string | undefined;
  set: (part: Partial<Rule>) => void;
}

const NOTHING: Condition = { event: "", match: {}, invert: false };

/** The trigger, if there is one, and the conditions. */
function When({ rule, known, under, whole, set }: WhenProps) {
  const { when, conditions } = rule;
  const turn = (kind: string): void => {
    if (kind === "happens") set({ when: conditions[0] ?? NOTHING, conditions: conditions.slice(1) });
    else set({ when: null, conditions: when && known.declared.events[when.event]?.lasting ? [when, ...conditions] : conditions.length ? conditions : [NOTHING] });
  };
  const change = (n: number, next: Condition): void => set({ conditions: conditions.map((one, at) => (at === n ? next : one)) });
  return (
    <section class="rules-part" aria-label={t("kind")}>
      <Choose
        label={t("kind")}
        value={when ? "happens" : "lasts"}
        choices={[
          { value: "lasts", label: t("kind_lasts") },
          { value: "happens", label: t("kind_happens") },
        ]}
        onChange={turn}
      />
      {when && (
        <>
          <h2>{t("trigger_legend")}</h2>
          <ConditionFields trigger condition={when.event ? when : null} known={known} label={t("trigger")} problems={under("/when")} onChange={(next) => set({ when: next })} />
        </>
      )}
      {(conditions.length > 0 || !when) && <h2>{when ? t("conditions_happens") : t("conditions_lasts")}</h2>}
      {conditions.map((condition, n) => (
        <div key={n} class="rules-row">
          <ConditionFields condition={condition.event ? condition : null} known={known} label={t("condition_n", { n: n + 1 })} problems={under(`/conditions/${n}`)} onChange={(next) => change(n, next)} />
          <IconButton icon="trash" small label={t("remove_condition", { n: n + 1 })} onClick={() => set({ conditions: conditions.filter((_, at) => at !== n) })} />
        </div>
      ))}
      {when && conditions.length === 0 && <p class="hint">{t("conditions_none")}</p>}
      {whole && (
        <p class="error" role="alert">
          {whole}
        </p>
      )}
      {conditions.length < MAX_CONDITIONS ? (
        <Button small icon="plus" onClick={() => set({ conditions: [...conditions, NOTHING] })}>
          {t("add_condition")}
        </Button>
      ) : (
        <p class="hint">{t("conditions_full", { limit: MAX_CONDITIONS })}</p>
      )}
    </section>
  );
}

const two = (n: number): string => String(n).padStart(2, "0");
const asClock = (seconds: number): string => `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;

function asSeconds(text: string): number | null {
  const match = /^\s*(?:(?:(\d{1,2}):)?(\d{1,2}):)?(\d{1,2})\s*$/.exec(text);
  if (!match) return null;
  const [hours, minutes, seconds] = [Number(match[1] ?? 0), Number(match[2] ?? 0), Number(match[3])];
  return hours < 24 && minutes < 60 && seconds < 60 ? 3600 * hours + 60 * minutes + seconds : null;
}

/** Hours, minutes and seconds (EVT-03). */
function Interval({ value, error, onChange }: { value: number; error?: string; onChange: (seconds: number) => void }) {
  const [text, type] = useState(asClock(value));
  const read = asSeconds(text);
  return (
    <Field label={t("minimum")} hint={t("minimum_hint")} error={read === null ? t("minimum_wrong") : error} name="minimum_interval">
      {(control) => (
        <input
          {...control}
          class="rules-interval"
          value={text}
          autocomplete="off"
          pattern="(?:(?:\d{1,2}:)?[0-5]?\d:)?[0-5]?\d"
          onInput={(event) => {
            type(event.currentTarget.value);
            const seconds = asSeconds(event.currentTarget.value);
            if (seconds !== null) onChange(seconds);
          }}
          onBlur={() => read !== null && type(asClock(read))}
        />
      )}
    </Field>
  );
}

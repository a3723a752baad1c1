// Rules: what each does, in a sentence, whether it is active and why; made, tried and put in order.

import { useEffect, useRef, useState } from "preact/hooks";
import { get } from "../../api";
import { status } from "../../live";
import type { PageProps } from "../../pages";
import { Link, navigate } from "../../router";
import { type Section, useSection } from "../../settings";
import { Button, Card, confirm, Dialog, Empty, Loading, Notice, Reorder, TextField, toast } from "../../ui";
import { type Draft } from "./drafts";
import { Editor } from "./editor";
import { ELSEWHERE, EXAMPLES, inWords } from "./examples";
import { type Known, names, useKnown } from "./known";
import { complete, type Condition, freeName, MAX_RULES, plain, type Rule, type Standing, type Warning } from "./model";
import { Row } from "./row";
import { sentence } from "./sentence";
import { Simulator } from "./simulator";
import { t } from "./words";
import "./rules.css";

const SHOWN = 100; // rules in the page, until more are asked for

export default function Rules({ rest: [view, name], query }: PageProps) {
  const section = useSection<Rule[]>("rules");
  const known = useKnown();
  if (!section.value || !known) return <Loading />;
  const rules = section.value.map(complete);
  if (view === "simulate") return <Simulator known={known} rules={rules} />;
  if ((view === "new" || view === "edit") && section.may()) {
    const start = view === "new" ? begun(known, rules, query) : found(rules, name);
    if (start === null) return <Gone />;
    const active = status.value?.rules.some((one) => one.active && start.some(({ was }) => was === one.name)) ?? false;
    return <Editor key={`${view} ${name ?? ""} ${query}`} section={section} rules={rules} known={known} start={start} active={active} />;
  }
  return <List section={section} rules={rules} known={known} />;
}

function Gone() {
  return <Empty icon="rules" title={t("gone")} action={<Link path="/rules">{t("back")}</Link>} />;
}

const found = (rules: readonly Rule[], name: string | undefined): Draft[] | null => {
  const rule = rules.find((one) => one.name === name);
  return rule ? [{ was: rule.name, rule }] : null;
};

/** The drafts of an example, under names that are free; without one, an empty rule. */
function begun(known: Known, rules: readonly Rule[], query: URLSearchParams): Draft[] {
  const example = EXAMPLES.find(({ key }) => key === query.get("example"));
  if (!example) {
    const { event, ...match } = Object.fromEntries(query);
    const condition: Condition = event ? { event, match, invert: false } : query.has("trigger") ? { event: "input/manual_trigger", match: { ...match, active: "true" }, invert: false } : { event: "", match: {}, invert: false };
    const parts = known.declared.events[event ?? ""]?.lasting === false ? { when: condition } : { conditions: [condition] };
    const empty = complete({ name: freeName(t("new_title"), rules.map((one) => one.name)), ...parts, action: { do: "run_profile", profile: known.profiles[0] ?? "" } });
    return [{ was: null, rule: empty }];
  }
  const taken = rules.map((one) => one.name);
  return example.rules(known).map((rule) => {
    const named = { ...rule, name: freeName(rule.name, taken) };
    taken.push(named.name);
    return { was: null, rule: named };
  });
}

/** How all rules stand, asked again when one begins or ends. */
function useStanding(): { rules: Record<string, Standing>; warnings: Warning[] } {
  const [told, tell] = useState<{ rules: Record<string, Standing>; warnings: Warning[] }>({ rules: {}, warnings: [] });
  const turn = JSON.stringify(status.value?.rules.map(({ name, active, enabled }) => [name, active, enabled]));
  useEffect(() => {
    const gone = new AbortController();
    get<{ rules: Standing[]; warnings: Warning[] }>("/rules", { signal: gone.signal })
      .then(({ rules, warnings }) => tell({ rules: Object.fromEntries(rules.map((one) => [one.name, one])), warnings }))
      .catch(() => undefined); // the connection is told of elsewhere; it is asked again with the next change
    return () => gone.abort();
  }, [turn]);
  return told;
}

/** The rules in an order of some of them; those that it does not name follow. */
function arranged(rules: readonly Rule[], order: readonly string[]): Rule[] {
  const named = order.map((name) => rules.find((rule) => rule.name === name)).filter((rule) => rule !== undefined);
  return [...named, ...rules.filter(({ name }) => !order.includes(name))];
}

/** The rules in the order that is wanted, which is seen before it is stored, and how it is changed. */
function useOrder(section: Section<Rule[]>, stored: Rule[]): [Rule[], (next: readonly Rule[]) => Promise<void>] {
  const [order, want] = useState<readonly string[] | null>(null);
  const turns = useRef(0);
  const move = async (next: readonly Rule[]): Promise<void> => {
    const turn = ++turns.current;
    const names = next.map(({ name }) => name);
    want(names);
    await section.save((now) => arranged(now, names));
    if (turn === turns.current) want(null);
  };
  return [order ? arranged(stored, order) : stored, move];
}

function List({ section, rules: stored, known }: { section: Section<Rule[]>; rules: Rule[]; known: Known }) {
  const [rules, move] = useOrder(section, stored);
  const standing = useStanding();
  const [search, look] = useState("");
  const [shown, show] = useState(SHOWN);
  const [choosing, choose] = useState(false);
  const may = section.may();
  const made = Object.values(standing.rules).filter(({ source }) => source !== "");
  const fits = (rule: Rule): boolean => `${rule.name} ${plain(sentence(rule, known.declared.actions, names.value))}`.toLowerCase().includes(search.trim().toLowerCase());
  const wanted = search.trim() ? rules.filter(fits) : rules;
  const store = async (how: (now: Rule[]) => Rule[], done: string): Promise<void> => {
    if (await section.save((now) => how(now.map(complete)))) toast(done, "good");
    else toast(section.problems.map(({ message }) => message).join("; ") || t("refused"), "bad");
  };
  const remove = async (rule: Rule): Promise<void> => {
    const active = standing.rules[rule.name]?.active;
    if (!(await confirm({ title: t("sure", { name: rule.name }), words: t(active ? "sure_active" : "sure_idle"), action: t("delete"), danger: true }))) return;
    await store((now) => now.filter(({ name }) => name !== rule.name), t("deleted"));
  };
  const copy = (rule: Rule): Promise<void> => {
    const copied = (now: Rule[]): Rule => ({ ...rule, enabled: false, name: freeName(rule.name, now.map(({ name }) => name)) });
    return store((now) => now.flatMap((one) => (one.name === rule.name ? [one, copied(now)] : [one])), t("copied"));
  };
  const row = (rule: Rule) => (
    <Row
      rule={rule}
      known={known}
      standing={standing.rules[rule.name]}
      warnings={standing.warnings.filter((one) => one.rules[0] === rule.name)}
      may={may}
      onSwitch={(enabled) => void store((now) => now.map((one) => (one.name === rule.name ? { ...one, enabled } : one)), t(enabled ? "now_on" : "now_off", { name: rule.name }))}
      onCopy={() => void copy(rule)}
      onDelete={() => void remove(rule)}
    />
  );
  return (
    <>
      <div class="page-head">
        <h1>{t("title")}</h1>
        <Button icon="play" onClick={() => navigate("/rules/simulate")}>
          {t("try")}
        </Button>
        {may && (
          <Button kind="primary" icon="plus" disabled={rules.length >= MAX_RULES} onClick={() => choose(true)}>
            {t("add")}
          </Button>
        )}
        <p>
          {t("lead")} {rules.length > 1 && t("order_hint")}
        </p>
      </div>
      <div class="stack">
        {rules.length >= MAX_RULES && <Notice tone="fair">{t("full", { limit: MAX_RULES })}</Notice>}
        {rules.length > 6 && <TextField type="search" label={t("search")} hideLabel placeholder={t("search")} value={search} onChange={look} class="rules-search" />}
        {rules.length === 0 ? (
          <Card>
            <Empty icon="rules" title={t("none")} action={may && <Button kind="primary" icon="plus" onClick={() => choose(true)}>{t("add")}</Button>}>
              {t("none_hint")}
            </Empty>
          </Card>
        ) : wanted.length === 0 ? (
          <Empty icon="search" title={t("none_found")} />
        ) : (
          <Reorder
            label={t("order")}
            items={wanted.slice(0, shown)}
            itemKey={(rule) => rule.name}
            name={(rule) => rule.name}
            disabled={!may || wanted.length < rules.length || rules.length < 2}
            onMove={(next) => void move(next)}
          >
            {row}
          </Reorder>
        )}
        {wanted.length > shown && <Button onClick={() => show(shown + SHOWN)}>{t("more", { n: wanted.length - shown })}</Button>}
        {made.length > 0 && !search && <Made made={made} />}
      </div>
      {choosing && <Examples known={known} onClose={() => choose(false)} />}
    </>
  );
}

/** Rules that the roles of extensions consist of: to be seen, not to be changed here. */
function Made({ made }: { made: readonly Standing[] }) {
  const [shown, show] = useState(20);
  return (
    <Card title={t("made")}>
      <p class="hint">{t("made_hint")}</p>
      <ul class="rules-made">
        {made.slice(0, shown).map(({ name, source, active }) => (
          <li key={name} data-active={active}>
            <span>{name}</span>
            <small>
              {t("made_by", { source })} {active && `· ${t("active")}`}
            </small>
          </li>
        ))}
      </ul>
      {made.length > shown && <Button small onClick={() => show(shown + SHOWN)}>{t("more", { n: made.length - shown })}</Button>}
    </Card>
  );
}

/** What to start a rule from. */
function Examples({ known, onClose }: { known: Known; onClose: () => void }) {
  const take = (path: string): void => {
    onClose();
    navigate(path);
  };
  return (
    <Dialog title={t("add")} onClose={onClose} wide>
      <p class="hint">{t("examples_lead")}</p>
      <ul class="rules-examples">
        <li>
          <button type="button" onClick={() => take("/rules/new")}>
            <strong>{t("empty_rule")}</strong>
            <span>{t("empty_hint")}</span>
          </button>
        </li>
        {EXAMPLES.map((example) => {
          const lacks = example.lacks?.(known);
          return (
            <li key={example.key}>
              <button type="button" disabled={lacks !== null && lacks !== undefined} onClick={() => take(`/rules/new?example=${example.key}`)}>
                <strong>{inWords(example.title)}</strong>
                <span>{inWords(example.words)}</span>
                {lacks && <em>{inWords(lacks)}</em>}
              </button>
            </li>
          );
        })}
      </ul>
      <h3>{t("examples_elsewhere")}</h3>
      <ul class="rules-examples">
        {ELSEWHERE.map(({ path, title, words }) => (
          <li key={path}>
            <Link path={path}>
              <strong>{inWords(title)}</strong>
              <span>{inWords(words)}</span>
            </Link>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

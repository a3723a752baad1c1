// Manual triggers as large switches, for people in front of a wall tablet (MTR-01).

import { useState } from "preact/hooks";
import { command } from "../../api";
import { status } from "../../live";
import { Link, useGuard } from "../../router";
import { can } from "../../session";
import { same, useSection } from "../../settings";
import { attempt, Button, Card, ConflictNotice, Empty, Form, IconButton, Loading, Notice, PageHead, TextField, toast } from "../../ui";
import { complete, type Rule } from "../rules/model";
import { t } from "./words";
import "./triggers.css";

const MAX_TRIGGERS = 16;
const MAX_NAME = 64;

export default function Triggers() {
  const section = useSection<string[]>("manual_triggers");
  const [draft, edit] = useState<string[] | null>(null);
  const triggers = status.value?.triggers;
  if (!section.value || !triggers) return <Loading />;
  const start = (): void => edit(section.value?.length ? section.value : [t("added_name", { n: 1 })]);
  return (
    <>
      <PageHead title={t("title")} actions={section.may() && draft === null && <Button icon="edit" onClick={start}>{t("edit")}</Button>}>
        {t("lead")}
      </PageHead>
      {draft !== null ? (
        <Names section={section} draft={draft} edit={edit} />
      ) : triggers.length === 0 ? (
        <Card>
          <Empty icon="triggers" title={t("none")} action={section.may() && <Button kind="primary" icon="plus" onClick={start}>{t("add")}</Button>}>
            {t("none_hint")}
          </Empty>
        </Card>
      ) : (
        <Switches triggers={triggers} />
      )}
    </>
  );
}

/** The names of the rules that wait for a trigger, or switch it. */
function users(rules: readonly Rule[], number: number): string[] {
  const about = (rule: Rule): boolean =>
    [rule.when, ...rule.conditions].some((one) => one?.event === "input/manual_trigger" && [undefined, String(number)].includes(one.match.trigger)) ||
    (rule.action.do === "set_manual_trigger" && rule.action.trigger === number);
  return rules.filter(about).map(({ name }) => name);
}

function Switches({ triggers }: { triggers: readonly { trigger: number; name: string; active: boolean }[] }) {
  const rules = (useSection<Rule[]>("rules").value ?? []).map(complete);
  const turn = (trigger: number, name: string, active: boolean): void =>
    void attempt(() => command("set-manual-trigger", { trigger, active }), t(active ? "pressed" : "released", { name }));
  return (
    <ul class="triggers" aria-label={t("list")}>
      {triggers.map(({ trigger, name, active }) => {
        const used = users(rules, trigger);
        return (
          <li key={trigger}>
            <button type="button" class="triggers-switch" aria-pressed={active} disabled={!can("operator")} onClick={() => turn(trigger, name, !active)}>
              <span class="triggers-number">{trigger}</span>
              <strong>{name}</strong>
              <span class="triggers-state">{active ? t("on") : t("off")}</span>
            </button>
            <p class="triggers-used">
              {used.length > 0 ? (
                <>
                  {t("used")}{" "}
                  {used.slice(0, 5).map((rule, at) => (
                    <span key={rule}>
                      {at > 0 && ", "}
                      <Link path={`/rules/edit/${encodeURIComponent(rule)}`}>{rule}</Link>
                    </span>
                  ))}
                  {used.length > 5 && " …"}
                </>
              ) : (
                <>
                  {t("unused")} {can("operator") && <Link path={`/rules/new?trigger=${trigger}`}>{t("make_rule")}</Link>}
                </>
              )}
            </p>
          </li>
        );
      })}
    </ul>
  );
}

function Names({ section, draft, edit }: { section: ReturnType<typeof useSection<string[]>>; draft: string[]; edit: (draft: string[] | null) => void }) {
  const [since] = useState(section.value); // when it was begun
  useGuard(!same(draft, since));
  const close = (): void => {
    section.forgive();
    edit(null);
  };
  const save = async (): Promise<void> => {
    if (!(await section.save(draft, { since }))) return;
    toast(t("saved"), "good");
    edit(null);
  };
  const said = (n: number): string | undefined => section.problems.find(({ path }) => path.startsWith(`/manual_triggers/${n}`))?.message;
  const others = section.problems.filter(({ path }) => !/^\/manual_triggers\/\d/.test(path));
  return (
    <Card>
      <Form class="stack" label={t("edit")} onSubmit={() => void save()}>
        <ConflictNotice section={section} onTheirs={close} onSaved={close} />
        {others.map(({ path, message }) => (
          <Notice key={path + message} tone="bad" live>
            {message}
          </Notice>
        ))}
        <ol class="triggers-names">
          {draft.map((name, n) => (
            <li key={n}>
              <span class="triggers-number" aria-hidden="true">{n + 1}</span>
              <TextField label={t("name", { n: n + 1 })} hideLabel value={name} maxLength={MAX_NAME} error={said(n)} autoFocus={n === 0} onChange={(next) => edit(draft.map((one, at) => (at === n ? next : one)))} />
              {n === draft.length - 1 && <IconButton icon="trash" label={t("remove", { n: n + 1 })} onClick={() => edit(draft.slice(0, -1))} />}
            </li>
          ))}
        </ol>
        <p class="hint">{draft.length >= MAX_TRIGGERS ? t("full", { limit: MAX_TRIGGERS }) : t("remove_hint")}</p>
        <div class="form-foot">
          <Button icon="plus" disabled={draft.length >= MAX_TRIGGERS} onClick={() => edit([...draft, t("added_name", { n: draft.length + 1 })])}>
            {t("add")}
          </Button>
          <Button onClick={close}>{t("cancel")}</Button>
          <Button kind="primary" type="submit" busy={section.saving}>
            {t("save")}
          </Button>
        </div>
      </Form>
    </Card>
  );
}

// A token as it is made, and its value, which is shown once.

import { useState } from "preact/hooks";
import { post } from "../../../api";
import { session } from "../../../session";
import { same } from "../../../settings";
import { t as shell } from "../../../shell/words";
import type { Role } from "../../../types";
import { Button, Checks, CopyText, Dialog, Field, Form, Notice, Select, TextField, useLeave } from "../../../ui";
import { wrongWith } from "../told";
import { fits, type Scope, SCOPES, type Token, upTo } from "./model";
import { t } from "./words";

const FIELDS = ["name", "role", "scopes", "expires"];
const NAME_MAX = 64; // characters
const DAY = 86_400_000; // milliseconds
const TERMS = { in30: 30, in90: 90, in365: 365 } as const; // days
type Term = keyof typeof TERMS | "onDate" | "never";

export interface Made extends Token {
  token: string;
  advice: string;
}

interface Draft {
  name: string;
  role: Role;
  scopes: Scope[];
  term: Term;
  date: string; // as of an input: 2027-12-31
}

const FIRST: Draft = { name: "", role: "viewer", scopes: ["read"], term: "in365", date: "" };

/** When it ends, as the device wants it; undefined: the day is missing, or over. */
function ending({ term, date }: Draft): string | null | undefined {
  if (term === "never") return null;
  if (term !== "onDate") return new Date(Date.now() + TERMS[term] * DAY).toISOString();
  const last = Date.parse(`${date}T23:59:59`);
  return last > Date.now() ? new Date(last).toISOString() : undefined;
}

export function TokenForm({ onClose, onMade }: { onClose: () => void; onMade: (made: Made) => void }) {
  const own = session.value.role ?? "viewer";
  const [draft, write] = useState(FIRST);
  const [wrong, complain] = useState<Record<string, string>>({});
  const [busy, work] = useState(false);
  const leave = useLeave(!same(draft, FIRST), onClose);
  const edit = (change: Partial<Draft>): void => write({ ...draft, ...change });
  const submit = async (): Promise<void> => {
    const expires = ending(draft);
    const found = { ...(!draft.scopes.length && { scopes: t("scopesNeeded") }), ...(expires === undefined && { expires: t("dateNeeded") }) };
    complain(found);
    if (Object.keys(found).length) return;
    work(true);
    let made: Made | undefined;
    const refused = await wrongWith(async () => {
      made = await post<Made>("/tokens", { name: draft.name, role: draft.role, scopes: draft.scopes, expires });
    }, FIELDS);
    work(false);
    if (refused) complain(refused);
    else onMade(made!);
  };
  return (
    <Dialog title={t("addToken")} onClose={leave}>
      <Form class="stack" label={t("addToken")} onSubmit={() => void submit()}>
        <TextField name="name" label={t("tokenName")} hint={t("tokenNameHint")} error={wrong.name} value={draft.name} onChange={(name) => edit({ name })} maxLength={NAME_MAX} autoFocus />
        <Select name="role" label={t("tokenRole")} hint={t("tokenRoleHint")} error={wrong.role} value={draft.role} onChange={(role) => edit({ role, scopes: draft.scopes.filter((one) => fits(one, role)) })} choices={upTo(own).map((role) => ({ value: role, label: shell(role) }))} />
        <Checks name="scopes" label={t("scopes")} error={wrong.scopes} values={draft.scopes} onChange={(scopes) => edit({ scopes })} choices={SCOPES.filter((one) => fits(one, draft.role)).map((one) => ({ value: one, label: t(`scope_${one}`) }))} />
        <Select name="expires" label={t("ends")} error={draft.term === "onDate" ? undefined : wrong.expires} value={draft.term} onChange={(term) => edit({ term })} choices={(["in30", "in90", "in365", "onDate", "never"] as const).map((term) => ({ value: term, label: t(term) }))} />
        {draft.term === "onDate" && (
          <Field name="date" label={t("date")} error={wrong.expires}>
            {(control) => <input {...control} type="date" value={draft.date} onInput={(event) => edit({ date: event.currentTarget.value })} />}
          </Field>
        )}
        <p class="error" role="alert">{wrong.form}</p>
        <div class="form-foot">
          <Button onClick={leave}>{t("cancel")}</Button>
          <Button kind="primary" type="submit" busy={busy}>{t("makeToken")}</Button>
        </div>
      </Form>
    </Dialog>
  );
}

/** The value, this once. */
export function MadeToken({ made, onClose }: { made: Made; onClose: () => void }) {
  const example = `curl -H "Authorization: Bearer ${made.token}" ${location.origin}/api/v1/status`;
  return (
    <Dialog fixed title={t("tokenOf", { name: made.name })} onClose={onClose} footer={<Button kind="primary" onClick={onClose}>{t("done")}</Button>}>
      <Notice tone="accent" title={t("tokenOnce")}>{t("tokenOnceWords")}</Notice>
      <div class="users-secret" data-field="token">
        <CopyText text={made.token} label={t("copyToken")} />
      </div>
      {made.advice && <Notice tone="bad">{t("tokenExposed")}</Notice>}
      <div class="users-secret">
        <small>{t("tokenUse")}</small>
        <CopyText text={example} label={t("copyExample")} />
      </div>
    </Dialog>
  );
}

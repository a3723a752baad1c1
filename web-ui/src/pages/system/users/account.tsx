// One account as it is made or changed; what passwords may be is said before one is typed (ACC-03).

import { useState } from "preact/hooks";
import { patch, post } from "../../../api";
import { session } from "../../../session";
import { same } from "../../../settings";
import { Strength, Unsecured } from "../../../shell/door";
import { t as shell } from "../../../shell/words";
import type { Role } from "../../../types";
import { Button, confirm, Dialog, Form, Select, TextField, toast, Toggle, uiWords, useLeave } from "../../../ui";
import { told } from "../../../words";
import { wrongWith } from "../told";
import { NAME, PASSWORD, PASSWORD_MAX, ROLES, type User } from "./model";
import { mayWords, t } from "./words";

const FIELDS = ["name", "password", "role", "digest"];

interface Props {
  user: User | null; // null: a new one
  onClose: () => void;
  onDone: () => Promise<void>;
}

interface Draft {
  name: string;
  role: Role;
  digest: boolean;
  password: string;
  again: string;
}

export function AccountForm({ user, onClose, onDone }: Props) {
  const [first] = useState<Draft>({ name: user?.name ?? "", role: user?.role ?? "viewer", digest: user?.digest ?? true, password: "", again: "" });
  const [draft, write] = useState(first);
  const [wrong, complain] = useState<Record<string, string>>({});
  const [busy, work] = useState(false);
  const leave = useLeave(!same(draft, first), onClose);
  const self = user !== null && user.name === session.value.name;
  const edit = (change: Partial<Draft>): void => write({ ...draft, ...change });
  const submit = async (): Promise<void> => {
    const found = check(draft, user);
    complain(found);
    if (Object.keys(found).length || !(await agreed(draft, user, self))) return;
    work(true);
    let advice = "";
    const refused = await wrongWith(async () => {
      ({ advice } = await store(draft, user));
    }, FIELDS);
    work(false);
    if (refused) return complain(refused);
    toast(t(user ? "changed" : "made", { name: draft.name }), "good");
    if (advice) toast(t("weak", { advice: told(advice) }), "fair");
    onClose();
    await onDone();
  };
  return (
    <Dialog title={user ? t("editTitle", { name: user.name }) : t("newTitle")} onClose={leave}>
      {!self && <Unsecured />}
      <Form class="stack" label={user ? t("editTitle", { name: user.name }) : t("newTitle")} onSubmit={() => void submit()}>
        {!user && <TextField name="name" label={t("name")} hint={shell("nameHint")} error={wrong.name} value={draft.name} onChange={(name) => edit({ name })} maxLength={32} autoFocus />}
        <Select name="role" label={t("role")} hint={t("roleMay", { may: mayWords(draft.role) })} error={wrong.role} value={draft.role} onChange={(role) => edit({ role })} choices={ROLES.map((role) => ({ value: role, label: shell(role) }))} />
        {self ? (
          <p class="hint">{t("passwordOwn")}</p>
        ) : (
          <>
            <TextField name="password" label={t(user ? "passwordNew" : "password")} hint={user ? `${t("passwordKeep")} ${t("passwordRules")}` : t("passwordRules")} error={wrong.password} type="password" value={draft.password} onChange={(password) => edit({ password })} autocomplete="new-password" maxLength={PASSWORD_MAX} />
            {(!user || draft.password) && <Strength password={draft.password} />}
            {(!user || draft.password) && <TextField name="again" label={shell("again")} error={wrong.again} type="password" value={draft.again} onChange={(again) => edit({ again })} autocomplete="new-password" maxLength={PASSWORD_MAX} />}
          </>
        )}
        <Toggle name="digest" label={t("digestLabel")} hint={t("digestHint")} error={wrong.digest} checked={draft.digest} disabled={self && !user.digest} onChange={(digest) => edit({ digest })} />
        {user && !self && <p class="hint">{t("endsSessions")}</p>}
        <p class="error" role="alert">{wrong.form}</p>
        <div class="form-foot">
          <Button onClick={leave}>{t("cancel")}</Button>
          <Button kind="primary" type="submit" busy={busy}>{t(user ? "save" : "create")}</Button>
        </div>
      </Form>
    </Dialog>
  );
}

/** What can be seen to be wrong before the device is asked. */
function check({ name, password, again, digest }: Draft, user: User | null): Record<string, string> {
  const wrong: Record<string, string> = {};
  if (!user && !NAME.test(name)) wrong.name = uiWords("misfit");
  if (!user && !password) wrong.password = shell("needed");
  if (password && !PASSWORD.test(password)) wrong.password = t("passwordForm");
  if (password !== again) wrong.again = shell("differ");
  if (user && digest && !user.digest && !password) wrong.password = t("digestAgain");
  return wrong;
}

/** Whoever takes rights from himself is asked back. */
async function agreed({ role }: Draft, user: User | null, self: boolean): Promise<boolean> {
  if (!self || role === user?.role) return true;
  return confirm({ title: t("demoteAsk"), words: t("demoteWords", { role: shell(role) }), action: t("change"), danger: true });
}

/** Make the account, or change of it what differs. */
function store({ name, role, digest, password }: Draft, user: User | null): Promise<{ advice: string }> {
  if (!user) return post("/users", { name, role, digest, password });
  const change = {
    ...(role !== user.role && { role }),
    ...(digest !== user.digest && { digest }),
    ...(password && { password }),
  };
  return patch(`/users/${encodeURIComponent(user.name)}`, change);
}

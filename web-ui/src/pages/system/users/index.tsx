// Who may use the device: accounts, one's own password, tokens, and who guesses (ACC-01…06, BRU-01).

import { useState } from "preact/hooks";
import { post } from "../../../api";
import { can, entering, leave, readSession, session } from "../../../session";
import { ChangePassword } from "../../../shell/about";
import { t as shell } from "../../../shell/words";
import type { Role } from "../../../types";
import { attempt, Button, Card, confirm, Empty, PageHead } from "../../../ui";
import { Accounts } from "./accounts";
import { Guard } from "./guard";
import { TokensCard } from "./tokens";
import { mayWords, t } from "./words";
import "./users.css";

export default function Users() {
  const { name, role } = session.value;
  const all = can("administrator");
  return (
    <>
      <PageHead title={t("title")}>{t(all ? "lead" : "leadOwn")}</PageHead>
      <div class="stack">
        {name === null || role === null ? <Nobody /> : <Own name={name} role={role} />}
        {all && <Accounts />}
        {name !== null && <TokensCard />}
        {all && <Guard />}
      </div>
    </>
  );
}

function Nobody() {
  return (
    <Card>
      <Empty icon="user" title={t("ownAnonymous")} action={<Button kind="primary" onClick={() => (entering.value = true)}>{t("logIn")}</Button>}>
        {t("ownAnonymousHint")}
      </Empty>
    </Card>
  );
}

/** The account of whoever looks. */
function Own({ name, role }: { name: string; role: Role }) {
  const [changing, change] = useState(false);
  const signOut = async (): Promise<void> => {
    if (!(await confirm({ title: t("signOutAllAsk"), words: t("signOutAllWords"), action: t("signOutAll"), danger: true }))) return;
    if (!(await attempt(() => post("/logout", { everywhere: true })))) return;
    leave();
    await readSession().catch(() => undefined);
  };
  return (
    <Card
      title={`${t("own")}: ${name}`}
      class="users-own"
      actions={
        <>
          <Button icon="key" onClick={() => change(true)}>{t("changePassword")}</Button>
          <Button icon="logout" onClick={() => void signOut()}>{t("signOutAll")}</Button>
        </>
      }
    >
      <p class="dim">{t("ownRole", { role: shell(role), may: mayWords(role) })}</p>
      {changing && <ChangePassword onClose={() => change(false)} />}
    </Card>
  );
}

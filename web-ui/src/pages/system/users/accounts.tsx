// All accounts, for administrators: made, changed and deleted (ACC-01…05).

import { useState } from "preact/hooks";
import { del } from "../../../api";
import { leave, readSession, session } from "../../../session";
import { t as shell } from "../../../shell/words";
import { attempt, Badge, Button, Card, confirm, IconButton, Loading, Notice, Table, type Column } from "../../../ui";
import { useTold } from "../told";
import { AccountForm } from "./account";
import type { User, Users } from "./model";
import { t } from "./words";

const FOLLOW = { settings: ["/web/users"] };

export function Accounts() {
  const told = useTold<Users>("/users", FOLLOW);
  const [edited, edit] = useState<User | "new" | null>(null);
  const all = told.value;
  const remove = async (user: User): Promise<void> => {
    const self = user.name === session.value.name;
    const words = (
      <>
        <p>{t("removeWords")}</p>
        {self && <p><strong>{t("removeSelf")}</strong></p>}
      </>
    );
    if (!(await confirm({ title: t("removeAsk", { name: user.name }), words, action: t("remove"), danger: true }))) return;
    if (!(await attempt(() => del(`/users/${encodeURIComponent(user.name)}`), t("removed", { name: user.name })))) return;
    if (!self) return told.reload();
    leave();
    await readSession().catch(() => undefined);
  };
  const full = all !== null && all.users.length >= all.max;
  return (
    <Card
      title={t("accounts")}
      class="users-accounts"
      actions={
        all && (
          <>
            <span class="dim">{t("count", { n: all.users.length, max: all.max })}</span>
            <Button kind="primary" icon="plus" disabled={full} onClick={() => edit("new")}>{t("add")}</Button>
          </>
        )
      }
    >
      {told.problem && <p class="error" role="alert">{told.problem}</p>}
      {full && <Notice tone="fair">{t("full", { max: all.max })}</Notice>}
      {all ? <Table caption={t("accounts")} columns={columns(edit, (user) => void remove(user))} rows={all.users} rowKey={({ name }) => name} rowLabel={({ name }) => name} /> : !told.problem && <Loading />}
      {edited && <AccountForm user={edited === "new" ? null : edited} onClose={() => edit(null)} onDone={told.reload} />}
    </Card>
  );
}

function columns(edit: (user: User) => void, remove: (user: User) => void): Column<User>[] {
  return [
    {
      key: "name",
      title: t("name"),
      cell: ({ name }) => (
        <span class="users-name">
          <strong>{name}</strong>
          {name === session.value.name && <Badge>{t("you")}</Badge>}
        </span>
      ),
    },
    { key: "role", title: t("role"), cell: ({ role }) => <Badge tone={role === "administrator" ? "accent" : "neutral"}>{shell(role)}</Badge> },
    { key: "digest", title: t("digest"), cell: ({ digest }) => t(digest ? "digestOn" : "digestOff") },
    {
      key: "actions",
      title: t("edit"),
      hideTitle: true,
      narrow: true,
      align: "end",
      cell: (user) => (
        <span class="users-buttons">
          <IconButton icon="edit" label={t("editName", { name: user.name })} onClick={() => edit(user)} />
          <IconButton icon="trash" label={t("removeName", { name: user.name })} onClick={() => remove(user)} />
        </span>
      ),
    },
  ];
}

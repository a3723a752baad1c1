// What programs show in place of a password: made, listed, revoked (RFC 6750).

import { useState } from "preact/hooks";
import { del } from "../../../api";
import { can, session } from "../../../session";
import { t as shell } from "../../../shell/words";
import { attempt, Badge, Button, Card, confirm, Empty, Loading, Notice, Table, Time, type Column } from "../../../ui";
import { useTold } from "../told";
import type { Token, Tokens } from "./model";
import { MadeToken, TokenForm, type Made } from "./token";
import { t } from "./words";

const FOLLOW = { settings: ["/web/tokens"], every: 15 };

export function TokensCard() {
  const told = useTold<Tokens>("/tokens", FOLLOW);
  const [making, make] = useState(false);
  const [made, show] = useState<Made | null>(null);
  const all = told.value;
  const full = all !== null && all.tokens.length >= all.max;
  const revoke = async (token: Token): Promise<void> => {
    if (!(await confirm({ title: t("revokeAsk", { name: token.name }), words: t("revokeWords"), action: t("revoke"), danger: true }))) return;
    await attempt(() => del(`/tokens/${token.id}`), t("revoked", { name: token.name }));
    await told.reload();
  };
  const add = (
    <Button kind={all?.tokens.length ? "plain" : "primary"} icon="plus" disabled={full} onClick={() => make(true)}>
      {t("addToken")}
    </Button>
  );
  return (
    <Card title={t("tokens")} class="users-tokens" actions={Boolean(all?.tokens.length) && add}>
      {told.problem && <p class="error" role="alert">{told.problem}</p>}
      {full && <Notice tone="fair">{t("tokensFull", { max: all.max })}</Notice>}
      {!all ? (
        !told.problem && <Loading />
      ) : all.tokens.length === 0 ? (
        <Empty icon="key" title={t("tokensNone")} action={add}>{t("tokensNoneHint")}</Empty>
      ) : (
        <>
          <p class="dim">{t("tokensLead")}</p>
          <Table caption={t("tokens")} columns={columns((token) => void revoke(token))} rows={all.tokens} rowKey={({ id }) => id} rowLabel={({ name }) => name} />
        </>
      )}
      {making && (
        <TokenForm
          onClose={() => make(false)}
          onMade={(token) => {
            make(false);
            show(token);
            void told.reload();
          }}
        />
      )}
      {made && <MadeToken made={made} onClose={() => show(null)} />}
    </Card>
  );
}

function columns(revoke: (token: Token) => void): Column<Token>[] {
  return [
    {
      key: "name",
      title: t("tokenName"),
      cell: ({ name, owner }) => (
        <span class="users-token">
          <strong>{name}</strong>
          {can("administrator") && owner !== session.value.name && <small>{t("owner", { name: owner })}</small>}
        </span>
      ),
    },
    {
      key: "may",
      title: t("may"),
      cell: ({ role, scopes }) => (
        <span class="users-scopes">
          <small>{shell(role)}</small>
          {scopes.map((scope) => (
            <Badge key={scope} tone={scope === "system" ? "accent" : "neutral"}>{t(`short_${scope}`)}</Badge>
          ))}
        </span>
      ),
    },
    {
      key: "expires",
      title: t("expires"),
      cell: ({ expires }) => (expires === null ? t("never") : Date.parse(expires) < Date.now() ? <Badge tone="bad">{t("expired")}</Badge> : <Time wall={expires} full />),
    },
    { key: "used", title: t("lastUsed"), cell: ({ last_used: used }) => (used === null ? <span class="dim">{t("unused")}</span> : <Time wall={used} seconds />) },
    {
      key: "actions",
      title: t("revoke"),
      hideTitle: true,
      narrow: true,
      align: "end",
      cell: (token) => (
        <Button small aria-label={t("revokeName", { name: token.name })} onClick={() => revoke(token)}>
          {t("revoke")}
        </Button>
      ),
    },
  ];
}

// Accounts as cards: who the device is there, how it stands in plain words, and what may help.

import { useState } from "preact/hooks";
import { status } from "../../live";
import type { Section } from "../../settings";
import { Badge, Button, Card, confirm, Empty, IconButton, Menu, Notice, persist, TextField, Time, toast, Toggle, type MenuItem, type Tone } from "../../ui";
import { party } from "../../words";
import { AccountEditor, TRANSPORTS } from "./account";
import { adviceOf, gradeOf, keyOf, standingOf, withDefault, without, type Account, type Grade, type Sip, type Standing } from "./model";
import { t } from "./words";

const TONES: Record<Grade, Tone> = { good: "good", fair: "fair", bad: "bad", dim: "neutral" };
const SHOWN = 50; // cards at first, and so many more each time
const MANY = 12; // accounts from which on somebody may want to find one
const ADVISED = 100; // GAP-25

export function Accounts({ section, onCall }: { section: Section<Sip>; onCall: (account: string) => void }) {
  const [edited, edit] = useState<Account | "new" | null>(null);
  const [text, find] = useState("");
  const [limit, raise] = useState(SHOWN);
  const { accounts } = section.value!;
  const told = (status.value?.registrations ?? []) as Standing[];
  const may = section.may("/accounts");
  const wanted = text.trim().toLowerCase();
  const searched = ({ name, user_id, domain }: Account): string => `${name} ${user_id} ${domain}`.toLowerCase();
  const found = accounts.filter((account) => !wanted || searched(account).includes(wanted));
  return (
    <>
      <div class="sip-tools">
        {accounts.length > MANY && <TextField label={t("account_find")} hideLabel type="search" placeholder={t("account_find")} value={text} onChange={find} />}
        {accounts.length > ADVISED && <small>{t("account_many", { n: accounts.length })}</small>}
        {may && <Button kind="primary" icon="plus" onClick={() => edit("new")}>{t("account_add")}</Button>}
      </div>
      {!accounts.length && <Empty icon="phone" title={t("account_none")} />}
      <ul class="sip-accounts">
        {found.slice(0, limit).map((account) => (
          <li key={keyOf(account)}>
            <AccountCard section={section} account={account} standing={standingOf(account, accounts, told)} may={may} onEdit={() => edit(account)} onCall={() => onCall(account.name)} />
          </li>
        ))}
      </ul>
      {found.length > limit && <Button kind="quiet" onClick={() => raise(limit + SHOWN)}>…</Button>}
      {edited !== null && <AccountEditor section={section} account={edited === "new" ? null : edited} onClose={() => edit(null)} />}
    </>
  );
}

interface CardProps {
  section: Section<Sip>;
  account: Account;
  standing: Standing | undefined;
  may: boolean;
  onEdit: () => void;
  onCall: () => void;
}

function AccountCard({ section, account, standing, may, onEdit, onCall }: CardProps) {
  const { name } = account;
  const key = keyOf(account);
  const advice = adviceOf(standing);
  const change = (how: (accounts: Account[], at: number) => Account[] | null): Promise<boolean> =>
    persist(section, ({ accounts }) => {
      const next = how(accounts, accounts.findIndex((one) => keyOf(one) === key));
      return next && { accounts: next };
    }).then((done) => {
      if (!done && section.peek().problems.length) toast(section.peek().problems.map(({ message }) => message).join("; "), "bad");
      return done;
    });
  const items: MenuItem[] = [
    { label: t("account_make_default"), icon: "check", disabled: account.default, onSelect: () => void change((all, at) => (at < 0 ? null : withDefault(all, at))) },
    { label: t("delete"), icon: "trash", danger: true, onSelect: () => void remove(section, account, change) },
  ];
  return (
    <Card
      class="sip-account"
      data-grade={gradeOf(standing)}
      title={name}
      actions={may && (
        <>
          <IconButton icon="phone" label={t("account_call", { name })} disabled={!account.enabled} onClick={onCall} />
          <IconButton icon="edit" label={t("account_edit", { name })} onClick={onEdit} />
          <Menu label={t("account_more", { name })} icon="more" hideLabel items={items} />
        </>
      )}
    >
      <p class="sip-standing">
        <Badge dot tone={TONES[gradeOf(standing)]}>{standingWords(account, standing)}</Badge>
        {standing?.state === "registered" && standing.until && <span>{untilWords(standing.until)}</span>}
        {account.default && <Badge tone="accent">{t("account_default")}</Badge>}
      </p>
      <p class="sip-uri">{addressWords(account, standing)}</p>
      <p class="sip-facts">
        {[t(account.kind === "registered" ? "account_registered" : "account_peer"), TRANSPORTS[account.transport] ?? account.transport, t(account.answer_automatically ? "account_answers" : "account_asks")].join(" · ")}
      </p>
      <p class="sip-words">{standing?.problem || (standing?.state === "registered" ? "" : standing?.words)}</p>
      {advice && <Notice tone={gradeOf(standing) === "bad" ? "bad" : "fair"}>{t(advice)}</Notice>}
      <Toggle label={<>{t("active")} <span class="hidden">{name}</span></>} checked={account.enabled} disabled={!may} onChange={(enabled) => void change((all, at) => (at < 0 ? null : all.with(at, { ...all[at]!, enabled })))} />
    </Card>
  );
}

function standingWords(account: Account, standing: Standing | undefined): string {
  if (!account.enabled) return t("account_inactive");
  if (!standing || (standing.state === "off" && (account.kind === "registered" || /switched off/.test(standing.words ?? "")))) return t("standing_idle");
  const { state } = standing;
  return state === "registered" || state === "trying" || state === "failed" || state === "given_up" || state === "off" ? t(`standing_${state}`) : state;
}

const untilWords = (until: string) => (
  <>
    {t("account_until", { time: "" })}
    <Time wall={until} />
  </>
);

function addressWords(account: Account, standing: Standing | undefined): string {
  const uri = standing?.uri ? party(standing.uri) : [account.user_id, account.domain || account.registrar].filter(Boolean).join("@");
  const server = standing?.server ? t("account_server", { server: party(standing.server) }) : "";
  return [uri, server].filter(Boolean).join(" ");
}

async function remove(section: Section<Sip>, account: Account, change: (how: (accounts: Account[], at: number) => Account[] | null) => Promise<boolean>): Promise<void> {
  const { accounts } = section.peek().value!;
  const left = without(accounts, accounts.findIndex((one) => keyOf(one) === keyOf(account)));
  if (left === null) {
    toast(t("account_last"), "fair");
    return;
  }
  const next = account.default ? t("account_next_default", { name: left.find((one) => one.default)!.name }) : "";
  const sure = await confirm({ title: t("account_delete_title", { name: account.name }), words: `${t("account_delete_words")} ${next}`.trim(), action: t("delete"), danger: true });
  if (sure && (await change((all, at) => (at < 0 ? null : without(all, at))))) toast(t("deleted", { name: account.name }), "good");
}

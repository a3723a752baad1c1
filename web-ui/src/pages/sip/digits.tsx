// Digits: sequences that cause events, how they come in each account, and what was pressed lately.

import { useState } from "preact/hooks";
import { events, status } from "../../live";
import { useGuard } from "../../router";
import type { Section } from "../../settings";
import { useSection } from "../../settings";
import { Badge, Button, Card, Checks, confirm, Empty, EntryNotices, Form, IconButton, Loading, mayLeave, persist, SchemaForm, Table, TextField, Time, toast, Toggle, useDraft, useEntry, type Column, type Place } from "../../ui";
import { party } from "../calls/model";
import { withDigitWay, type Account, type DigitWay, type Dtmf, type Sequence, type Sip } from "./model";
import { t } from "./words";

const LONGEST = 64; // digits of a sequence, characters of a name
const SHOWN = 100; // sequences at first, and so many more each time
const PRESSED = 40; // lines of what was pressed
const PAUSE = 10; // seconds after which the digits of a call are listed anew
const WAYS: readonly DigitWay[] = ["dtmf_rtp", "dtmf_info", "dtmf_inband"];
const wayWords = (way: DigitWay): string => t(way === "dtmf_rtp" ? "way_rtp" : way === "dtmf_info" ? "way_info" : "way_inband");

const keyOf = ({ sequence, held, accounts }: Sequence): string => `${sequence} ${held} ${accounts.join(" ")}`;

export function Digits({ sip }: { sip: Section<Sip> }) {
  const section = useSection<Dtmf>("dtmf");
  if (section.value === null || sip.value === null) return <Loading />;
  return (
    <>
      <p class="hint">{t("digits_lead")}</p>
      <div class="sip-columns">
        <div>
          <Sequences section={section} accounts={sip.value.accounts} />
          <Timing section={section} />
        </div>
        <div>
          <Pressed />
          <Ways section={sip} />
        </div>
      </div>
    </>
  );
}

function Sequences({ section, accounts }: { section: Section<Dtmf>; accounts: readonly Account[] }) {
  const [edited, edit] = useState<string | "new" | null>(null);
  const [limit, raise] = useState(SHOWN);
  const { sequences } = section.value!;
  const may = section.may("/sequences");
  const begin = async (next: string): Promise<void> => {
    if (await mayLeave()) edit(next);
  };
  return (
    <Card title={t("sequences")} actions={may && <Button kind="primary" icon="plus" disabled={edited === "new"} onClick={() => void begin("new")}>{t("add")}</Button>}>
      {edited === "new" && <Editor section={section} accounts={accounts} sequence={null} onClose={() => edit(null)} />}
      {!sequences.length && edited !== "new" && <Empty icon="list" title={t("sequences_none")}>{t("sequences_none_hint")}</Empty>}
      <ul class="sip-sequences" aria-label={t("sequences")}>
        {sequences.slice(0, limit).map((one) => (
          <li key={keyOf(one)}>
            {edited === keyOf(one) ? (
              <Editor section={section} accounts={accounts} sequence={one} onClose={() => edit(null)} />
            ) : (
              <div class="sip-sequence">
                <code>{one.sequence}</code>
                <div class="sip-what">
                  <strong>{one.name}</strong>
                  <small>{[one.accounts.length ? t("sequence_in", { accounts: one.accounts.join(", ") }) : t("sequence_in_all"), one.held && t("sequence_held_short")].filter(Boolean).join(" · ")}</small>
                </div>
                {may && (
                  <span class="sip-acts">
                    <IconButton small icon="edit" label={t("sequence_edit", { name: one.name })} onClick={() => void begin(keyOf(one))} />
                    <IconButton small icon="trash" label={t("sequence_delete", { name: one.name })} onClick={() => void remove(section, one)} />
                  </span>
                )}
              </div>
            )}
          </li>
        ))}
      </ul>
      {sequences.length > limit && <Button kind="quiet" onClick={() => raise(limit + SHOWN)}>{t("entry_more", { n: sequences.length - limit })}</Button>}
    </Card>
  );
}

async function remove(section: Section<Dtmf>, one: Sequence): Promise<void> {
  const sure = await confirm({ title: t("sequence_delete", { name: one.name }), words: one.sequence, action: t("delete"), danger: true });
  if (sure && (await persist(section, ({ sequences }) => ({ sequences: sequences.filter((other) => keyOf(other) !== keyOf(one)) })))) toast(t("deleted", { name: one.name }), "good");
}

const BLANK: Sequence = { sequence: "", name: "", accounts: [], held: false };

function Editor({ section, accounts, sequence, onClose }: { section: Section<Dtmf>; accounts: readonly Account[]; sequence: Sequence | null; onClose: () => void }) {
  const place: Place<Dtmf, Sequence> = {
    section, list: ({ sequences }) => sequences, key: keyOf, base: "/dtmf/sequences",
    arrange: ({ sequences }, entry, at) => ({ patch: { sequences: at < 0 ? [...sequences, entry] : sequences.with(at, entry) }, at: at < 0 ? sequences.length : at }),
  };
  const entry = useEntry(place, sequence ?? BLANK, sequence === null ? null : keyOf(sequence));
  const { value } = entry;
  useGuard(entry.dirty);
  const set = (part: Partial<Sequence>): void => entry.write({ ...value, ...part });
  const problem = (name: string): string | undefined =>
    section.problems.filter(({ path }) => `${path}/`.startsWith(`${entry.base}/${name}/`)).map(({ message }) => message).join("; ") || undefined;
  const saved = (): void => {
    section.forgive();
    toast(t("saved"), "good");
    onClose();
  };
  const names = [...new Set([...accounts.map(({ name }) => name), ...value.accounts])];
  const title = sequence === null ? t("sequence_new") : t("sequence_edit", { name: sequence.name });
  return (
    <Form class="sip-inline" label={title} onSubmit={() => void entry.save().then((done) => done && saved())}>
      <EntryNotices entry={entry} titles={(name) => name} onSaved={saved} />
      <div class="sip-pair">
        <TextField name="sequence" label={t("sequence")} value={value.sequence} onChange={(text) => set({ sequence: text.trim().toUpperCase() })} error={problem("sequence")} required maxLength={LONGEST} placeholder="12#" autoFocus />
        <TextField name="name" label={t("sequence_name")} hint={t("sequence_name_hint")} value={value.name} onChange={(name) => set({ name })} error={problem("name")} required maxLength={LONGEST} placeholder="Silence" />
      </div>
      <Toggle name="held" label={t("sequence_held")} checked={value.held} onChange={(held) => set({ held })} error={problem("held") ?? ""} />
      {names.length > 1 || value.accounts.length > 0 ? (
        <Checks name="accounts" label={t("sequence_accounts")} hint={t("sequence_accounts_hint")} values={value.accounts} choices={names} onChange={(chosen) => set({ accounts: chosen })} error={problem("accounts") ?? ""} />
      ) : null}
      <div class="sip-buttons">
        <Button onClick={() => (section.forgive(), onClose())}>{t("cancel")}</Button>
        <Button type="submit" kind="primary" busy={section.saving}>{t("save")}</Button>
      </div>
    </Form>
  );
}

function Timing({ section }: { section: Section<Dtmf> }) {
  const { digit_timeout, long_press } = section.value!;
  const draft = useDraft<Dtmf, Partial<Dtmf>>(section);
  const shown = { digit_timeout, long_press, ...draft.value };
  return (
    <Card title={t("timing")}>
      <Form label={t("timing")} onSubmit={() => void draft.save().then((done) => done && toast(t("saved"), "good"))}>
        {draft.notice}
        <SchemaForm
          schema={section.schema}
          value={shown}
          onChange={(next: Dtmf) => draft.write({ ...draft.value, ...Object.fromEntries(Object.entries(next).filter(([name, value]) => value !== shown[name as "long_press"])) })}
          hide={["/sequences", "/tables"]}
          problems={section.problems.filter(({ path }) => !path.startsWith("/dtmf/sequences"))}
          base="/dtmf"
          readOnly={!section.may("/digit_timeout")}
        />
        {draft.dirty && (
          <div class="sip-buttons">
            <Button onClick={draft.forget}>{t("cancel")}</Button>
            <Button type="submit" kind="primary" busy={section.saving}>{t("save")}</Button>
          </div>
        )}
      </Form>
    </Card>
  );
}

/** Per account, the ways in which digits come (DTM-04, DTM-05). */
function Ways({ section }: { section: Section<Sip> }) {
  const { accounts } = section.value!;
  const may = section.may("/accounts");
  const turn = (at: number, way: DigitWay, on: boolean): void => void persist(section, (now) => ({ accounts: withDigitWay(now.accounts, at, way, on) }));
  const rows = accounts.map((account, at) => ({ account, at }));
  const columns: Column<(typeof rows)[number]>[] = [
    { key: "account", title: t("account"), cell: ({ account }) => account.name },
    ...WAYS.map((way) => ({
      key: way, title: wayWords(way), narrow: true,
      cell: ({ account, at }: (typeof rows)[number]) => (
        <Toggle hideLabel label={t("way_of", { way: wayWords(way), account: account.name })} checked={account[way]} disabled={!may} onChange={(on) => turn(at, way, on)} />
      ),
    })),
  ];
  return (
    <Card title={t("ways")}>
      <p class="hint">{t("ways_hint")}</p>
      <Table caption={t("ways")} rows={rows} rowKey={({ at }) => at} columns={columns} />
    </Card>
  );
}

interface Press {
  key: string;
  call: string;
  at: number;
  digits: string;
  event: string; // that a sequence has caused, "" for single digits
}

/** Digits of one call that follow each other are one line; so is each sequence. */
function pressesOf(): Press[] {
  const lines: Press[] = [];
  for (const { key, at, chain } of [...events.value].reverse()) {
    const link = chain[0]!;
    const { call, digit, name, sequence } = link.items as Record<string, string>;
    const last = lines.at(-1);
    if (link.name === "call/digit") {
      if (last && last.call === call && !last.event && at - last.at < PAUSE) Object.assign(last, { digits: (last.digits + digit).slice(-LONGEST), at });
      else lines.push({ key, call: call!, at, digits: digit!, event: "" });
    } else if (link.name === "call/dtmf") lines.push({ key, call: call!, at, digits: sequence!, event: name! });
  }
  return lines.reverse().slice(0, PRESSED);
}

function Pressed() {
  const presses = pressesOf();
  const calls = new Map((status.value?.calls ?? []).map((call) => [call.id, party(call.remote_uri)]));
  return (
    <Card title={t("pressed")}>
      {!presses.length && <Empty icon="list" title={t("pressed_none")} />}
      <ol class="sip-pressed" aria-live="polite" aria-label={t("pressed")}>
        {presses.map(({ key, at, digits, event, call }) => (
          <li key={key}>
            <Time at={at} seconds /> <code>{digits}</code> {event && <Badge tone="good">{t("pressed_event", { name: event })}</Badge>} <small>{calls.get(call) ?? call}</small>
          </li>
        ))}
      </ol>
      <p class="hint">{t("pressed_hint")}</p>
    </Card>
  );
}

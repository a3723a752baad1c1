// Who may call: the list, what being in it means, and what each entry is compared with.

import { useState } from "preact/hooks";
import type { Section } from "../../settings";
import { Button, Card, Choose, Empty, Form, IconButton, Notice, persist, TextField, toast, Toggle } from "../../ui";
import { entryKind, type Access, type Sip } from "./model";
import { t } from "./words";

const SHOWN = 100; // entries at first, of 1000 at most, and so many more each time
const MANY = 12; // entries from which on somebody may want to find one
const LONGEST = 255; // characters of an entry

export function AccessList({ section }: { section: Section<Sip> }) {
  const [text, write] = useState("");
  const [wanted, find] = useState("");
  const [wrong, complain] = useState("");
  const [limit, raise] = useState(SHOWN);
  const { access } = section.value!;
  const may = section.may("/access");
  const found = access.entries.filter((entry) => entry.toLowerCase().includes(wanted.trim().toLowerCase()));
  const change = async (part: (now: Access) => Partial<Access>): Promise<boolean> => {
    const done = await persist(section, (now) => ({ access: part(now.access) }));
    if (!done) complain(section.peek().problems.map(({ message }) => message).join("; "));
    return done;
  };
  const add = async (): Promise<void> => {
    const entry = text.trim();
    complain("");
    if (access.entries.includes(entry)) {
      complain(t("entry_there", { entry }));
      return;
    }
    if (await change((now) => ({ entries: [...now.entries, entry] }))) write("");
  };
  const remove = async (entry: string): Promise<void> => {
    if (await change((now) => ({ entries: now.entries.filter((one) => one !== entry) }))) toast(t("deleted", { name: entry }), "good");
  };
  return (
    <div class="sip-columns">
      <Card title={t("tab_access")}>
        <div class="sip-access">
          <p class="hint">{t("access_lead")}</p>
          <Toggle name="enabled" label={t("access_use")} checked={access.enabled} disabled={!may} onChange={(enabled) => void change(() => ({ enabled }))} />
          <Choose
            label={t("policy")}
            value={access.policy}
            disabled={!may}
            onChange={(policy) => void change(() => ({ policy }))}
            choices={[{ value: "allow", label: t("policy_allow") }, { value: "block", label: t("policy_block") }]}
          />
          <p class="hint">{t(access.policy === "allow" ? "policy_allow_hint" : "policy_block_hint")}</p>
          <Notice tone={access.enabled && access.policy === "allow" && !access.entries.length ? "fair" : "neutral"} live>{wordsOf(access)}</Notice>
          <p class="hint">{t("access_forge")}</p>
          <p class="hint">{t("access_password")}</p>
        </div>
      </Card>
      <Card title={t("entries")}>
        {may && (
          <Form class="sip-add" label={t("entry")} onSubmit={() => void add()}>
            <TextField name="entry" label={t("entry")} hint={t("entry_hint")} value={text} onChange={write} error={wrong} required maxLength={LONGEST} placeholder="192.0.2.0/24" />
            <Button type="submit" icon="plus">{t("add")}</Button>
          </Form>
        )}
        {access.entries.length > MANY && <TextField label={t("entry_find")} hideLabel type="search" placeholder={t("entry_find")} value={wanted} onChange={find} />}
        {!access.entries.length && <Empty icon="lock" title={t("entry_none")} />}
        <ul class="sip-entries" aria-label={t("entries")}>
          {found.slice(0, limit).map((entry) => (
            <li key={entry}>
              <code>{entry}</code>
              <small>{t(`entry_${entryKind(entry)}`)}</small>
              {may && <IconButton small icon="trash" label={t("entry_remove", { entry })} onClick={() => void remove(entry)} />}
            </li>
          ))}
        </ul>
        {found.length > limit && <Button kind="quiet" onClick={() => raise(limit + SHOWN)}>{t("entry_more", { n: found.length - limit })}</Button>}
      </Card>
    </div>
  );
}

/** What the list comes to, in a sentence. */
function wordsOf({ enabled, policy, entries }: Access): string {
  const n = entries.length;
  if (!enabled) return t("access_words_off");
  if (policy === "allow") return n ? t("access_words_allow", { n }) : t("access_words_allow_none");
  return n ? t("access_words_block", { n }) : t("access_words_block_none");
}

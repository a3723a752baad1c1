// Which extension does what: a sentence for each, edited in its place, in the order that decides.

import { useState } from "preact/hooks";
import { status } from "../../live";
import { Link, useGuard } from "../../router";
import type { Section } from "../../settings";
import { useSection } from "../../settings";
import { Badge, Button, Choose, confirm, Empty, EntryNotices, Form, IconButton, Loading, mayLeave, Notice, persist, ProfileRisk, Reorder, SecretField, Select, TextField, toast, Toggle, useEntry, type Place } from "../../ui";
import type { Extension } from "./model";
import { t } from "./words";

const ROLES = ["page", "ring", "alert"] as const;
const PRIORITIES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const NUMBER_MAX = 32; // characters
const NAME_MAX = 64;
const SHOWN = 100; // of 256 at most
const keyOf = ({ number }: Extension): string => number;

export const profiles = (): string[] => (status.value?.profiles ?? []).map(({ name }) => name);

/** What a call to an extension does, in a sentence. */
export function effectOf({ role, profile, priority }: Pick<Extension, "role" | "profile" | "priority">): string {
  const does = role === "page" ? (profile ? t("does_page_profile", { profile }) : t("does_page")) : t(role === "ring" ? "does_ring" : "does_alert", { profile });
  return [does, typeof priority === "number" && t("with_priority", { n: priority })].filter(Boolean).join(" · ");
}

export function Extensions() {
  const section = useSection<Extension[]>("extensions");
  const [edited, edit] = useState<string | "new" | null>(null);
  const [limit, raise] = useState(SHOWN);
  if (section.value === null) return section.problems.length ? <Notice tone="bad">{section.problems[0]!.message}</Notice> : <Loading />;
  const may = section.may();
  const list = section.value;
  const begin = async (next: string): Promise<void> => {
    if (await mayLeave()) edit(next);
  };
  const shown = list.slice(0, limit);
  const order = (next: Extension[]): void =>
    void persist(section, (now) => {
      const wanted = next.map(keyOf);
      const rest = now.filter((one) => !wanted.includes(one.number));
      return [...wanted.flatMap((number) => now.filter((one) => one.number === number)), ...rest];
    });
  const step = (at: number, to: number): void => {
    const next = [...shown];
    next.splice(to, 0, ...next.splice(at, 1));
    order(next);
  };
  return (
    <>
      <div class="sip-tools">
        <p class="hint">{t("extensions_lead")} {t("extensions_order")}</p>
        {may && <Button kind="primary" icon="plus" disabled={edited === "new"} onClick={() => void begin("new")}>{t("extension_add")}</Button>}
      </div>
      {edited === "new" && <Editor section={section} extension={null} onClose={() => edit(null)} />}
      {!list.length && edited !== "new" && <Empty icon="phone" title={t("extensions_none")}>{t("extensions_none_hint")}</Empty>}
      <div class="sip-extensions">
        <Reorder items={shown} itemKey={keyOf} name={keyOf} label={t("tab_extensions")} disabled={!may || edited !== null} onMove={order}>
          {(extension, at) =>
            edited === extension.number ? (
              <Editor section={section} extension={extension} onClose={() => edit(null)} />
            ) : (
              <Row extension={extension} may={may} at={at} last={at === shown.length - 1} onStep={(to) => step(at, to)} onEdit={() => void begin(extension.number)} onDelete={() => void remove(section, extension)} />
            )
          }
        </Reorder>
      </div>
      {list.length > limit && <Button kind="quiet" onClick={() => raise(limit + SHOWN)}>{t("entry_more", { n: list.length - limit })}</Button>}
      <p class="hint"><Link path="/audio">{t("greeting")}</Link></p>
    </>
  );
}

function Row({ extension, may, at, last, onStep, onEdit, onDelete }: { extension: Extension; may: boolean; at: number; last: boolean; onStep: (to: number) => void; onEdit: () => void; onDelete: () => void }) {
  const { number, name, role, profile, pin, beep, record_then_play: later } = extension;
  const missing = profile && !profiles().includes(profile);
  return (
    <div class="sip-extension" data-number={number}>
      <code>{number}</code>
      <div class="sip-what">
        <strong>{name || t(`role_${role}`)}</strong>
        <span>{effectOf(extension)}</span>
        <span class="sip-marks">
          {name && <Badge>{t(`role_${role}`)}</Badge>}
          {Boolean(pin) && <Badge tone="accent">{t("pin_set")}</Badge>}
          {role === "page" && beep && <Badge>{t("beep_short")}</Badge>}
          {role === "page" && later && <Badge>{t("later_short")}</Badge>}
          {missing && <Badge tone="bad" dot>{t("profile_gone", { profile })}</Badge>}
        </span>
      </div>
      {may && (
        <span class="sip-acts">
          <IconButton small icon="up" label={t("move_up", { name: number })} disabled={at === 0} onClick={() => onStep(at - 1)} />
          <IconButton small icon="down" label={t("move_down", { name: number })} disabled={last} onClick={() => onStep(at + 1)} />
          <IconButton small icon="edit" label={t("extension_edit", { number })} onClick={onEdit} />
          <IconButton small icon="trash" label={t("extension_delete", { number })} onClick={onDelete} />
        </span>
      )}
    </div>
  );
}

async function remove(section: Section<Extension[]>, { number }: Extension): Promise<void> {
  const sure = await confirm({ title: t("extension_delete_title", { number }), words: t("extension_delete_words"), action: t("delete"), danger: true });
  if (!sure) return;
  if (await persist(section, (now) => now.filter((one) => one.number !== number))) toast(t("deleted", { name: number }), "good");
  else toast(section.peek().problems.map(({ message }) => message).join("; "), "bad");
}

const BLANK: Extension = { number: "", name: "", role: "page", profile: "", priority: null, pin: "", beep: true, record_then_play: false };

function Editor({ section, extension, onClose }: { section: Section<Extension[]>; extension: Extension | null; onClose: () => void }) {
  const place: Place<Extension[], Extension> = {
    section, list: (now) => now, key: keyOf, base: "/extensions",
    arrange: (now, entry, at) => ({ patch: at < 0 ? [...now, entry] : now.with(at, entry), at: at < 0 ? now.length : at }),
  };
  const entry = useEntry(place, extension ?? BLANK, extension === null ? null : extension.number);
  const { value } = entry;
  useGuard(entry.dirty);
  const set = (part: Partial<Extension>): void => entry.write({ ...value, ...part });
  const problem = (name: string): string | undefined =>
    section.problems.filter(({ path }) => path === `${entry.base}/${name}`).map(({ message }) => message).join("; ") || undefined;
  const others = section.problems.filter(({ path }) => !path.startsWith(`${entry.base}/`));
  const saved = (): void => {
    section.forgive();
    toast(t("saved"), "good");
    onClose();
  };
  const close = (): void => {
    section.forgive();
    onClose();
  };
  const title = extension === null ? t("extension_new") : t("extension_edit", { number: extension.number });
  return (
    <Form class="sip-inline" label={title} onSubmit={() => void entry.save().then((done) => done && saved())}>
      <EntryNotices entry={entry} titles={(name) => name} onSaved={saved} />
      {others.map(({ path, message }) => <Notice key={path} tone="bad" live>{message}</Notice>)}
      <div class="sip-pair">
        <TextField name="number" label={t("number")} hint={t("number_hint")} value={value.number} onChange={(number) => set({ number: number.trim() })} error={problem("number")} required maxLength={NUMBER_MAX} autoFocus={extension === null} placeholder="2001" />
        <TextField name="name" label={t("name")} value={value.name} onChange={(name) => set({ name })} error={problem("name")} maxLength={NAME_MAX} />
      </div>
      <Choose label={t("role")} value={value.role} onChange={(role) => set({ role })} choices={ROLES.map((role) => ({ value: role, label: t(`role_${role}`) }))} error={problem("role") ?? ""} />
      <p class="hint">{t(`role_${value.role}_hint`)}</p>
      <div class="sip-pair">
        <Select name="profile" label={t("profile")} value={value.profile} onChange={(profile) => set({ profile })} error={problem("profile")} choices={[{ value: "", label: t("profile_none") }, ...profiles().map((name) => ({ value: name, label: name }))]} />
        <Select name="priority" label={t("priority")} value={value.priority} onChange={(priority) => set({ priority })} error={problem("priority")} choices={[{ value: null, label: t("priority_own") }, ...PRIORITIES.map((n) => ({ value: n, label: String(n) }))]} />
      </div>
      <ProfileRisk name={value.profile} />
      <SecretField path="pin" title={t("pin")} hint={t("pin_hint")} schema={{}} value={value.pin} onChange={(pin) => set({ pin })} error={problem("pin")} disabled={false} nullable={false} />
      {value.role === "page" && (
        <>
          <Toggle name="beep" label={t("beep")} checked={value.beep} onChange={(beep) => set({ beep })} />
          <Toggle name="record_then_play" label={t("later")} hint={t("later_hint")} checked={value.record_then_play} onChange={(later) => set({ record_then_play: later })} />
        </>
      )}
      <div class="sip-buttons">
        <Button onClick={close}>{t("cancel")}</Button>
        <Button type="submit" kind="primary" busy={section.saving}>{t("save")}</Button>
      </div>
    </Form>
  );
}

// The editor of one source: what is always needed in sight, all else below, and its rank.

import { useState } from "preact/hooks";
import { status } from "../../live";
import type { Section } from "../../settings";
import { Button, confirm, Dialog, EntryNotices, Form, NumberField, persist, ProfileRisk, SchemaForm, titleOf, toast, useEntry, useLeave, type Place } from "../../ui";
import { codecName } from "../calls/model";
import { everything, isOwn, keyOf, stored, type Multicast, type Paged, type Source } from "./model";
import { t } from "./words";

const BRIEF = ["/label", "/channel", "/address", "/port", "/profile", "/enabled"];
const STRUCTS = { multicast: "PageSource", desk_phones: "DeskPhoneSource" } as const;

/** What the device has as names, in words. */
export const valueWords = (): Record<string, string> => ({
  normal: t("latency_normal"), low: t("latency_low"), ultra_low: t("latency_ultra_low"), calls: t("sound_calls"), clips: t("own_clip"),
  ...Object.fromEntries(["PCMU", "PCMA", "G722", "opus", "G726-32", "L16/8000", "L16/16000", "L16/48000"].map((codec) => [codec, codecName(codec)])),
  AES_CM_HMAC_SHA1_80: "AES-CM, HMAC-SHA1-80", AES_CM_HMAC_SHA1_32: "AES-CM, HMAC-SHA1-32", AES_GCM: "AES-GCM",
});

interface EditorProps {
  section: Section<Multicast>;
  first: Paged; // as it is shown at the start
  edited: string | null; // the key of the source, null: a new one
  onClose: () => void;
}

export function SourceEditor({ section, first, edited, onClose }: EditorProps) {
  const ranks = everything(section.value!.sources);
  const now = ranks.find((source) => keyOf(source) === edited)?.rank;
  const [rank, choose] = useState<number | null>(null); // null: where it is, or the last
  const place: Place<Multicast, Source> = {
    section,
    list: ({ sources }) => everything(sources).map(({ rank: _, ...source }) => source as Source),
    key: keyOf,
    base: "/multicast/sources",
    arrange: ({ sources }, entry, at) => {
      const list: Source[] = everything(sources).map(({ rank: _, ...source }) => source as Source);
      if (at >= 0) list.splice(at, 1);
      const to = Math.min(rank === null ? (at < 0 ? list.length : at) : rank - 1, list.length);
      list.splice(to, 0, entry);
      const kept = stored(list, sources);
      return { patch: { sources: kept.sources }, at: to - kept.offset };
    },
  };
  const entry = useEntry<Multicast, Source>(place, first, edited);
  const schema = section.schema.$defs?.[STRUCTS[first.kind]] ?? {};
  const may = section.may("/sources");
  const unsaved = entry.dirty || rank !== null;
  const close = (): void => {
    section.forgive();
    onClose();
  };
  const leave = useLeave(unsaved, close);
  const saved = (): void => {
    toast(t("saved"), "good");
    close();
  };
  const remove = async (): Promise<void> => {
    const sure = await confirm({ title: t("delete_title", { name: first.label }), words: t("delete_words"), action: t("delete"), danger: true });
    if (!sure) return;
    const done = await persist(section, ({ sources }) => ({ sources: sources.filter((source) => keyOf(source) !== edited) }));
    if (!done) return;
    toast(t("deleted", { name: first.label }), "good");
    onClose();
  };
  const title = edited !== null ? t("edit_title", { name: first.label }) : t(first.kind === "multicast" ? "new_group" : "new_phones");
  const profiles = (status.value?.profiles ?? []).map(({ name }) => name);
  const highest = ranks.length + (entry.isNew ? 1 : 0);
  return (
    <Dialog title={title} wide onClose={leave}>
      <Form label={title} class="stack" onSubmit={() => void entry.save().then((done) => done && saved())}>
        <EntryNotices entry={entry} titles={(name) => titleOf(name, schema.properties?.[name] ?? {})} onSaved={saved} />
        <SchemaForm
          schema={schema}
          root={section.schema}
          value={entry.value}
          onChange={(next: Source) => entry.write(next)}
          problems={section.problems}
          base={entry.base}
          brief={BRIEF}
          order={["/label", "/channel", "/address", "/port"]}
          hide={["/kind", "/id"]}
          choices={{ "/profile": [{ value: "", label: "–" }, ...profiles] }}
          values={valueWords()}
          readOnly={!may}
        />
        {"profile" in entry.value && <ProfileRisk name={entry.value.profile ?? ""} />}
        <NumberField name="rank" label={t("rank_field")} hint={t("rank_hint")} value={rank ?? now ?? highest} onChange={choose} min={1} max={highest} step={1} disabled={!may} />
        <div class="form-foot">
          {edited !== null && may && <Button kind="quiet" icon="trash" onClick={() => void remove()}>{t("delete")}</Button>}
          <Button onClick={leave}>{t("cancel")}</Button>
          {may && <Button type="submit" kind="primary" busy={section.saving}>{t("save")}</Button>}
        </div>
      </Form>
    </Dialog>
  );
}

/** Whether a source of the list is one that can be edited. */
export const isPaged = (source: Source | undefined): source is Paged => source !== undefined && !isOwn(source);

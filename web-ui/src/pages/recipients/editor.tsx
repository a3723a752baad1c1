// One recipient as it is made or changed, and the kinds to choose from.

import { useState } from "preact/hooks";
import { status } from "../../live";
import type { Section } from "../../settings";
import { Button, Dialog, EntryNotices, Form, Icon, make, resolve, SchemaForm, titleOf, toast, useEntry, useLeave, type Place } from "../../ui";
import { told } from "../../words";
import { BRIEF, ICONS, type Kind, KINDS, type Recipient } from "./model";
import { t } from "./words";

export function Kinds({ onChoose, onClose }: { onChoose: (kind: Kind) => void; onClose: () => void }) {
  return (
    <Dialog title={t("add")} onClose={onClose} wide>
      <ul class="recipients-kinds">
        {KINDS.map((kind) => (
          <li key={kind}>
            <button type="button" onClick={() => onChoose(kind)}>
              <Icon name={ICONS[kind]} size={24} />
              <strong>{t(`kind_${kind}`)}</strong>
              <span>{t(`about_${kind}`)}</span>
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

interface EditorProps {
  section: Section<Recipient[]>;
  was: string | null;
  start: Recipient;
  onClose: () => void;
}

const placeIn = (section: Section<Recipient[]>): Place<Recipient[], Recipient> => ({
  section,
  list: (all) => all,
  key: ({ name }) => name,
  base: "/recipients",
  arrange: (all, one, at) => (at < 0 ? { patch: [...all, one], at: all.length } : { patch: all.with(at, one), at }),
});

export function Editor({ section, was, start, onClose }: EditorProps) {
  const schema = resolve({ $ref: section.schema.items?.discriminator?.mapping[start.kind] ?? "" }, section.schema);
  const [first] = useState<Recipient>(() => (was === null ? { ...(make({ ...schema, default: undefined }, section.schema) as object), ...start } : start));
  const entry = useEntry(placeIn(section), first, was);
  const draft = entry.value;
  const accounts = ((status.value?.registrations ?? []) as { account: string }[]).map(({ account }) => account);
  const close = (): void => {
    section.forgive();
    onClose();
  };
  const leave = useLeave(entry.dirty, close);
  const saved = (): void => {
    toast(t("saved", { name: draft.name }), "good");
    close();
  };
  const nothing = (words: string): string => told(words).replace(/\b[Nn]ull: /, "Empty: ");
  return (
    <Dialog
      wide
      title={was === null ? `${t("new_title")}: ${t(`kind_${start.kind}`)}` : t("edit_title", { name: was })}
      onClose={leave}
      footer={
        <>
          <Button onClick={leave}>{t("cancel")}</Button>
          <Button kind="primary" busy={section.saving} onClick={(event) => event.currentTarget.closest("dialog")?.querySelector("form")?.requestSubmit()}>
            {t("save")}
          </Button>
        </>
      }
    >
      <Form class="stack" onSubmit={() => void entry.save().then((done) => done && saved())} label={t(`kind_${start.kind}`)}>
        <p class="hint">{t(`about_${start.kind}`)}</p>
        <EntryNotices entry={entry} titles={(name) => titleOf(name, schema.properties?.[name] ?? {})} onSaved={saved} />
        <SchemaForm
          schema={schema}
          root={section.schema}
          value={draft}
          onChange={(next: Recipient) => entry.write({ ...next, kind: start.kind })}
          problems={section.problems}
          base={entry.base}
          hide={["/kind"]}
          brief={BRIEF[start.kind]}
          order={BRIEF[start.kind]}
          choices={start.kind === "sip" ? { "/account": [{ value: null, label: "–" }, ...accounts] } : {}}
          hints={{ "/account": nothing("Null: the default one.") }}
          values={{ none: t("unencrypted"), starttls: "STARTTLS", tls: "TLS" }}
          entry={(_, value) => String(value)}
        />
        <button type="submit" hidden /> {/* Enter saves, though the button is outside */}
      </Form>
    </Dialog>
  );
}

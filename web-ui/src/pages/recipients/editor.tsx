// One recipient as it is made or changed, and the kinds to choose from.

import { useState } from "preact/hooks";
import { status } from "../../live";
import type { Section } from "../../settings";
import { Button, ConflictNotice, Dialog, Form, Icon, make, mayLeave, resolve, SchemaForm, toast } from "../../ui";
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
  all: Recipient[];
  was: string | null;
  start: Recipient;
  onClose: () => void;
}

export function Editor({ section, all, was, start, onClose }: EditorProps) {
  const schema = resolve({ $ref: section.schema.items?.discriminator?.mapping[start.kind] ?? "" }, section.schema);
  const [draft, edit] = useState<Recipient>(() => (was === null ? { ...(make({ ...schema, default: undefined }, section.schema) as object), ...start } : start));
  const at = was === null ? -1 : all.findIndex(({ name }) => name === was);
  const base = `/recipients/${at < 0 ? all.length : at}`;
  const accounts = ((status.value?.registrations ?? []) as { account: string }[]).map(({ account }) => account);
  const close = (): void => {
    section.forgive();
    onClose();
  };
  const leave = async (): Promise<void> => {
    if (JSON.stringify(draft) === JSON.stringify(start) || was === null || (await mayLeave())) close();
  };
  const save = async (): Promise<void> => {
    if (!(await section.save(at < 0 ? [...all, draft] : all.map((one, n) => (n === at ? draft : one))))) return;
    toast(t("saved", { name: draft.name }), "good");
    close();
  };
  const nothing = (words: string): string => told(words).replace(/\b[Nn]ull: /, "Empty: ");
  return (
    <Dialog
      wide
      title={was === null ? `${t("new_title")}: ${t(`kind_${start.kind}`)}` : t("edit_title", { name: was })}
      onClose={() => void leave()}
      footer={
        <>
          <Button onClick={() => void leave()}>{t("cancel")}</Button>
          <Button kind="primary" busy={section.saving} onClick={(event) => event.currentTarget.closest("dialog")?.querySelector("form")?.requestSubmit()}>
            {t("save")}
          </Button>
        </>
      }
    >
      <Form class="stack" onSubmit={() => void save()} label={t(`kind_${start.kind}`)}>
        <p class="hint">{t(`about_${start.kind}`)}</p>
        <ConflictNotice section={section} onTheirs={close} onSaved={close} />
        <SchemaForm
          schema={schema}
          root={section.schema}
          value={draft}
          onChange={(next: Recipient) => edit({ ...next, kind: start.kind })}
          problems={section.problems}
          base={base}
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

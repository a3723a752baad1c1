// The editor of one profile.

import { useState } from "preact/hooks";
import { post, Problem, put } from "../../api";
import { useGuard } from "../../router";
import type { FieldProblem } from "../../types";
import { Button, Notice } from "../../ui/basics";
import { Dialog, mayLeave } from "../../ui/dialog";
import { Form, TextField } from "../../ui/fields";
import { toast } from "../../ui/toast";
import { stored, type Draft, type Parts } from "./model";
import { LightFields, problemOf, SirenFields } from "./parts";
import { Preview } from "./preview";
import { t } from "./words";

interface Props {
  start: Draft;
  before: string; // its name until now; empty: it is new
  parts: Parts;
  onClose: () => void;
  onSaved: () => Promise<unknown>;
}

const KNOWN = ["/name", "/description", "/light/", "/siren/"];

export function Editor({ start, before, parts, onClose, onSaved }: Props) {
  const [draft, write] = useState<Draft>(start);
  const [problems, tell] = useState<readonly FieldProblem[]>([]);
  const [saving, wait] = useState(false);
  const changed = JSON.stringify(draft) !== JSON.stringify(start);
  useGuard(changed, mayLeave);
  const close = async (): Promise<void> => {
    if (!changed || (await mayLeave())) onClose();
  };
  const save = async (): Promise<void> => {
    wait(true);
    try {
      const profile = stored({ ...draft, name: draft.name.trim() });
      const answer = before ? await put<{ followed: string[] }>(`/profiles/${encodeURIComponent(before)}`, profile) : await post<{ followed: string[] }>("/profiles", profile);
      if (answer.followed.length) toast(t("saved", { names: answer.followed.join(", ") }), "good");
      await onSaved();
      onClose();
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      tell(problem.fields.map(({ path, message }) => ({ path: path && !path.startsWith("/") ? `/${path}` : path, message })));
    } finally {
      wait(false);
    }
  };
  const homeless = problems.filter(({ path }) => !KNOWN.some((one) => path.startsWith(one)));
  return (
    <Dialog
      wide
      title={before ? t("editTitle", { name: before }) : t("newTitle")}
      onClose={() => void close()}
      footer={
        <>
          <Button onClick={() => void close()}>{t("cancel")}</Button>
          <Button kind="primary" busy={saving} onClick={() => document.querySelector<HTMLFormElement>(".profiles-editor")?.requestSubmit()}>{t("save")}</Button>
        </>
      }
    >
      <Form class="profiles-editor" label={before || t("newTitle")} onSubmit={() => void save()}>
        <div class="stack">
          {homeless.length > 0 && <Notice tone="bad" live>{homeless.map(({ path, message }) => <p key={path + message}>{message}</p>)}</Notice>}
          <TextField name="name" label={t("name")} value={draft.name} required maxLength={parts.limits.name} autoFocus={!before} error={problemOf(problems, "/name")} onChange={(name) => write({ ...draft, name })} />
          <TextField name="description" label={t("description")} value={draft.description} rows={2} maxLength={parts.limits.description} error={problemOf(problems, "/description")} onChange={(description) => write({ ...draft, description })} />
          <LightFields value={draft.light} parts={parts} problems={problems} onChange={(light) => write({ ...draft, light })} />
          <SirenFields value={draft.siren} parts={parts} problems={problems} onChange={(siren) => write({ ...draft, siren })} />
        </div>
        <Preview draft={draft} />
      </Form>
    </Dialog>
  );
}

// One value, changed in its place: by a field of its kind, or a group or list as JSON.

import { useEffect, useState } from "preact/hooks";
import { Problem } from "../../../api";
import { useGuard } from "../../../router";
import type { FieldProblem } from "../../../types";
import { Button, Notice } from "../../../ui/basics";
import { MineOrTheirs } from "../../../ui/conflict";
import { Form, TextField } from "../../../ui/fields";
import { SchemaForm } from "../../../ui/schema_form";
import { toast } from "../../../ui/toast";
import { movesPage, same, valueWords, type Setting } from "./model";
import type { Store } from "./store";
import { t } from "./words";

export function Editor({ setting, store, onClose }: { setting: Setting; store: Store; onClose: () => void }) {
  const { path, usual } = setting;
  const [seen, look] = useState(setting.value); // when it was begun
  const [draft, write] = useState<unknown>(setting.value);
  const [text, type] = useState(() => JSON.stringify(setting.value, null, 2));
  const [problems, complain] = useState<FieldProblem[]>([]);
  const [theirs, meet] = useState<{ value: unknown } | null>(null);
  const [busy, work] = useState(false);
  const grouped = setting.children !== null;
  const changed = grouped ? text !== JSON.stringify(seen, null, 2) : !same(draft, seen);
  useGuard(changed);
  const begin = (value: unknown): void => {
    look(value);
    write(value);
    type(JSON.stringify(value, null, 2));
  };
  useEffect(() => {
    if (!changed && !same(setting.value, seen)) begin(setting.value); // changed by others, and by nobody here
  }, [setting.value]);

  const put = async (value: unknown, insist = false): Promise<void> => {
    work(true);
    meet(null);
    complain([]);
    try {
      const outcome = await store.put(path, value, insist ? null : { value: seen });
      if (outcome.kind === "refused") complain(outcome.problems);
      else if (outcome.kind === "conflict") meet({ value: outcome.theirs });
      else {
        toast(t("saved", { path }), "good");
        for (const { message } of outcome.warnings) toast(message, "neutral");
        onClose();
      }
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      complain([{ path, message: problem.message }]);
    }
    work(false);
  };
  const save = (insist = false): void => {
    const value = grouped ? read(text, path, complain) : { value: draft };
    if (value) void put(value.value, insist);
  };
  const take = (): void => {
    begin(theirs!.value);
    meet(null);
  };
  return (
    <Form class="config-editor" label={t("editOf", { path })} onSubmit={() => save()}>
      {grouped ? <AsText {...{ path, text, type, problems }} /> : <AsField {...{ setting, store, draft, write, problems }} />}
      {movesPage(path) && <Notice tone="fair">{t("moves")}</Notice>}
      {theirs && <MineOrTheirs title={t("meanwhile", { value: valueWords(theirs.value, setting.schema) })} onMine={() => save(true)} onTheirs={take} />}
      <div class="form-foot">
        {usual !== undefined && !same(usual, setting.value) && (
          <Button class="config-reset" kind="quiet" busy={busy} title={t("resetTitle", { value: valueWords(usual, setting.schema) })} onClick={() => void put(setting.within ? usual : undefined)}>
            {t("reset")}
          </Button>
        )}
        <Button onClick={onClose}>{t("cancel")}</Button>
        <Button kind="primary" type="submit" busy={busy} disabled={!changed}>{t("save")}</Button>
      </div>
    </Form>
  );
}

function read(text: string, path: string, complain: (problems: FieldProblem[]) => void): { value: unknown } | null {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    complain([{ path, message: t("notJson", { words: (error as Error).message }) }]);
    return null;
  }
}

function AsField({ setting, store, draft, write, problems }: { setting: Setting; store: Store; draft: unknown; write: (value: unknown) => void; problems: readonly FieldProblem[] }) {
  const { name, path, given } = setting;
  const above = path.split("/").slice(0, -1).join("/");
  return (
    <SchemaForm
      schema={{ type: "object", properties: { [name]: given } }}
      root={store.schema}
      value={{ [name]: draft }}
      onChange={(next: Record<string, unknown>) => write(next[name])}
      base={above}
      problems={problems}
    />
  );
}

function AsText({ path, text, type, problems }: { path: string; text: string; type: (text: string) => void; problems: readonly FieldProblem[] }) {
  const said = problems.map((one) => (one.path === path || !one.path ? one.message : `${one.path}: ${one.message}`)).join("\n");
  return <TextField class="config-json" label={t("textOf", { path })} hint={t("textHint")} error={said || undefined} value={text} onChange={type} rows={Math.min(24, text.split("\n").length + 1)} />;
}

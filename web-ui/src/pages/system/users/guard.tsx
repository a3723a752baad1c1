// Whoever has no account, and addresses from which passwords are guessed (ACC-06, BRU-01).

import { useState } from "preact/hooks";
import { useGuard } from "../../../router";
import { useSection } from "../../../settings";
import { Button, Card, ConflictNotice, Form, Loading, mayLeave, SchemaForm, toast } from "../../../ui";
import { t } from "./words";

const SHOWN = ["anonymous_viewing", "brute_force"] as const;
type Web = Record<string, unknown>;

export function Guard() {
  const section = useSection<Web>("web");
  const [draft, write] = useState<Web | null>(null);
  useGuard(draft !== null, mayLeave);
  const { value } = section;
  if (!value) return <Loading />;
  const others = Object.keys(value).filter((name) => !SHOWN.some((one) => one === name));
  const forget = (): void => {
    write(null);
    section.forgive();
  };
  const save = async (): Promise<void> => {
    if (!(await section.save(draft ?? {}))) return;
    write(null);
    toast(t("saved"), "good");
  };
  return (
    <Card title={t("guard")} class="users-guard">
      <p class="dim">{t("guardLead")}</p>
      <Form label={t("guard")} onSubmit={() => void save()}>
        {draft && <ConflictNotice section={section} onTheirs={() => write(null)} onSaved={() => write(null)} />}
        <SchemaForm
          schema={section.schema}
          value={{ ...value, ...draft }}
          onChange={(next: Web) => write(Object.fromEntries(SHOWN.map((name) => [name, next[name]])))}
          hide={others.map((name) => `/${name}`)}
          problems={draft ? section.problems : []}
          base="/web"
        />
        {draft && (
          <div class="form-foot">
            <Button onClick={forget}>{t("cancel")}</Button>
            <Button kind="primary" type="submit" busy={section.saving}>{t("save")}</Button>
          </div>
        )}
      </Form>
    </Card>
  );
}

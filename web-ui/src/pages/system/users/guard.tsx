// Whoever has no account, and addresses from which passwords are guessed (ACC-06, BRU-01).

import { useState } from "preact/hooks";
import { useGuard } from "../../../router";
import { changes, merged, useSection } from "../../../settings";
import { Button, Card, ConflictNotice, Form, Loading, mayLeave, SchemaForm, toast } from "../../../ui";
import { t } from "./words";

const SHOWN = ["anonymous_viewing", "brute_force"] as const;
type Web = Record<string, unknown>;

export function Guard() {
  const section = useSection<Web>("web");
  const [draft, write] = useState<Web>({});
  const dirty = Object.keys(draft).length > 0;
  useGuard(dirty, mayLeave);
  const { value } = section;
  if (!value) return <Loading />;
  const others = Object.keys(value).filter((name) => !SHOWN.some((one) => one === name));
  const forget = (): void => {
    write({});
    section.forgive();
  };
  const save = async (): Promise<void> => {
    if (!(await section.save(draft))) return;
    write({});
    toast(t("saved"), "good");
  };
  return (
    <Card title={t("guard")} class="users-guard">
      <p class="dim">{t("guardLead")}</p>
      <Form label={t("guard")} onSubmit={() => void save()}>
        {dirty && <ConflictNotice section={section} onTheirs={() => write({})} onSaved={() => write({})} />}
        <SchemaForm
          schema={section.schema}
          value={merged(value, draft)}
          onChange={(next: Web) => write(changes(value, next))}
          hide={others.map((name) => `/${name}`)}
          problems={dirty ? section.problems : []}
          base="/web"
        />
        {dirty && (
          <div class="form-foot">
            <Button onClick={forget}>{t("cancel")}</Button>
            <Button kind="primary" type="submit" busy={section.saving}>{t("save")}</Button>
          </div>
        )}
      </Form>
    </Card>
  );
}

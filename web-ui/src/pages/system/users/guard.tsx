// Whoever has no account, and addresses from which passwords are guessed (ACC-06, BRU-01).

import { changes, merged, useSection } from "../../../settings";
import { Button, Card, Form, Loading, SchemaForm, toast, useDraft } from "../../../ui";
import { t } from "./words";

const SHOWN = ["anonymous_viewing", "brute_force"] as const;
type Web = Record<string, unknown>;

export function Guard() {
  const section = useSection<Web>("web");
  const draft = useDraft(section);
  const { dirty, forget } = draft;
  const { value } = section;
  if (!value) return <Loading />;
  const others = Object.keys(value).filter((name) => !SHOWN.some((one) => one === name));
  const save = async (): Promise<void> => {
    if (await draft.save()) toast(t("saved"), "good");
  };
  return (
    <Card title={t("guard")} class="users-guard">
      <p class="dim">{t("guardLead")}</p>
      <Form label={t("guard")} onSubmit={() => void save()}>
        {draft.notice}
        <SchemaForm
          schema={section.schema}
          value={merged(value, draft.value)}
          onChange={(next: Web) => draft.write(changes(value, next))}
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

// Some members of the section in a card, with a draft of their own and saved together.

import type { ComponentChildren } from "preact";
import { changes, merged, type Section } from "../../settings";
import { Button, Card, Form, SchemaForm, toast, useDraft, type SchemaFormProps } from "../../ui";
import type { Mqtt } from "./model";
import { t } from "./words";

interface Props {
  section: Section<Mqtt>;
  title: string;
  names: readonly string[];
  /** What of them is shown, and how, by what is entered. */
  form: (shown: Mqtt) => Pick<SchemaFormProps, "brief" | "hide" | "order" | "hints" | "values" | "choices" | "render">;
  also?: { label: string; patch: Partial<Mqtt> }; // a second way to save, which is the first one
  children?: ComponentChildren;
}

export function Group({ section, title, names, form, also, children }: Props) {
  const value = section.value!;
  const draft = useDraft(section);
  const { dirty, forget } = draft;
  const shown = merged(value, draft.value);
  const { hide = [], ...more } = form(shown);
  const others = Object.keys(value).filter((name) => !names.includes(name));
  const mine = section.problems.filter(({ path }) => names.some((name) => `${path}/`.startsWith(`/mqtt/${name}/`)) || (dirty && path === ""));
  const change = (next: Mqtt): void => draft.write(changes(value, next));
  const save = async (beside: Partial<Mqtt> = {}): Promise<void> => {
    if (await draft.save({ ...draft.value, ...beside })) toast(t("saved"), "good");
  };
  return (
    <Card title={title} class="mqtt-group">
      {children}
      <Form label={title} onSubmit={() => void save(also?.patch)}>
        {draft.notice}
        <SchemaForm schema={section.schema} value={shown} onChange={change} problems={mine} base="/mqtt" hide={[...others.map((name) => `/${name}`), ...hide]} readOnly={!section.may()} {...more} />
        {dirty && (
          <div class="form-foot">
            <Button onClick={forget}>{t("cancel")}</Button>
            {also && <Button busy={section.saving} onClick={(event) => event.currentTarget.form?.checkValidity() && void save()}>{t("save")}</Button>}
            <Button type="submit" kind="primary" busy={section.saving}>{also?.label ?? t("save")}</Button>
          </div>
        )}
      </Form>
    </Card>
  );
}

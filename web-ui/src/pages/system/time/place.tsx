// How the device is called, and where it is (LOC-01).

import { changes, merged, type Section } from "../../../settings";
import { Button, Card, Form, NumberField, SchemaForm, toast, useDraft, type SchemaField } from "../../../ui";
import { told } from "../../../words";
import type { Device } from ".";
import { compass, fromSexagesimal, sexagesimal } from "./zones";
import { t } from "./words";

const SHOWN = ["name", "location"] as const;

/** What the degrees mean, below the fields; for those that are empty, what they count from. */
function hints({ latitude, longitude, heading }: Device["location"]): Record<string, string> {
  return {
    "/location": "",
    "/location/latitude": latitude === null ? told("In degrees; north is positive.") : sexagesimal(latitude, [t("north"), t("south")]),
    "/location/longitude": longitude === null ? told("In degrees; east is positive.") : sexagesimal(longitude, [t("east"), t("west")]),
    "/location/heading": heading === null ? told("In degrees: 0 is north, 90 is east.") : t("looks", { direction: compass(heading) }),
  };
}

export function Place({ section }: { section: Section<Device> }) {
  const draft = useDraft(section);
  const { dirty, forget } = draft;
  const value = merged(section.value!, draft.value);
  const others = Object.keys(value).filter((name) => !SHOWN.some((one) => one === name));
  const save = async (): Promise<void> => {
    if (await draft.save()) toast(t("saved"), "good");
  };
  return (
    <Card title={t("place")} class="time-place">
      <p class="dim">{t("placeHint")}</p>
      <Form label={t("place")} onSubmit={() => void save()}>
        {draft.notice}
        <SchemaForm
          schema={section.schema}
          value={value}
          onChange={(next: Device) => draft.write(changes(section.value!, next))}
          hide={others.map((name) => `/${name}`)}
          hints={hints(value.location)}
          render={{
            "/location/latitude": (field) => <Degrees {...field} negative={["S"]} positive={["N"]} />,
            "/location/longitude": (field) => <Degrees {...field} negative={["W"]} positive={["E", "O"]} />,
          }}
          problems={dirty ? section.problems : []}
          base="/device"
          readOnly={(path) => !section.may(path)}
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

/** One half of a place, as a number or in degrees, minutes and seconds. */
function Degrees({ path, title, hint, error, value, onChange, disabled, schema, negative, positive }: SchemaField & { negative: string[]; positive: string[] }) {
  return (
    <NumberField name={path} label={title} hint={hint} error={error} value={typeof value === "number" ? value : null} onChange={onChange} min={schema.minimum} max={schema.maximum} step="any" nullable disabled={disabled} placeholder={t("degrees", { side: negative[0]! })} read={(text) => fromSexagesimal(text, negative, positive)} />
  );
}

// One subscription as it is made or changed.

import { useState } from "preact/hooks";
import type { Section } from "../../settings";
import { Button, Dialog, EntryNotices, Form, make, SchemaForm, titleOf, toast, useEntry, useLeave, type Place } from "../../ui";
import { qosChoices, topicField } from "./connection";
import { askedFor, keyOf, type Mqtt, type Subscription } from "./model";
import { t } from "./words";

interface Props {
  section: Section<Mqtt>;
  prefix: string;
  subscription: Subscription | null; // null: a new one
  onClose: () => void;
}

const placeIn = (section: Section<Mqtt>): Place<Mqtt, Subscription> => ({
  section,
  list: ({ subscriptions }) => subscriptions,
  key: keyOf,
  base: "/mqtt/subscriptions",
  arrange: ({ subscriptions: all }, one, at) => (at < 0 ? { patch: { subscriptions: [...all, one] }, at: all.length } : { patch: { subscriptions: all.with(at, one) }, at }),
});

export function Editor({ section, prefix, subscription, onClose }: Props) {
  const schema = section.schema.$defs?.Subscription ?? {};
  const [first] = useState<Subscription>(() => subscription ?? { ...(make(schema, section.schema) as Subscription), filter: "", kind: "stateful" });
  const entry = useEntry(placeIn(section), first, subscription && keyOf(subscription));
  const draft = entry.value;
  const close = (): void => {
    section.forgive();
    onClose();
  };
  const leave = useLeave(entry.dirty, close);
  const saved = (): void => {
    toast(t("saved"), "good");
    close();
  };
  const title = subscription === null ? t("new_subscription") : t("edit_one", { filter: subscription.filter });
  return (
    <Dialog wide title={title} onClose={leave}>
      <Form class="stack" label={title} onSubmit={() => void entry.save().then((done) => done && saved())}>
        <EntryNotices entry={entry} titles={(name) => titleOf(name, schema.properties?.[name] ?? {})} onSaved={saved} />
        <SchemaForm
          schema={schema}
          root={section.schema}
          value={draft}
          onChange={entry.write}
          problems={section.problems}
          base={entry.base}
          order={["/filter", "/use_prefix", "/kind", "/true_payload", "/qos"]}
          hide={draft.kind === "stateless" ? ["/true_payload"] : []}
          titles={{ "/filter": t("topic") }}
          hints={{ "/filter": t(draft.kind === "stateless" ? "filter_hint" : "topic_hint"), "/kind": "", "/qos": "" }}
          values={{ stateful: t("stateful"), stateless: t("stateless") }}
          choices={{ "/qos": qosChoices() }}
          render={{ "/filter": topicField }}
        />
        <p class="hint">{t("asked_for", { filter: askedFor(draft, prefix) || "…" })}</p>
        <div class="form-foot">
          <Button onClick={leave}>{t("cancel")}</Button>
          <Button kind="primary" type="submit" busy={section.saving}>{t("save")}</Button>
        </div>
      </Form>
    </Dialog>
  );
}

// One subscription as it is made or changed.

import { useState } from "preact/hooks";
import { useGuard } from "../../router";
import type { Section } from "../../settings";
import { Button, ConflictNotice, Dialog, Form, make, mayLeave, SchemaForm, toast } from "../../ui";
import { qosChoices, topicField } from "./connection";
import { askedFor, keyOf, same, type Mqtt, type Subscription } from "./model";
import { t } from "./words";

interface Props {
  section: Section<Mqtt>;
  prefix: string;
  subscription: Subscription | null; // null: a new one
  onClose: () => void;
}

export function Editor({ section, prefix, subscription, onClose }: Props) {
  const schema = section.schema.$defs?.Subscription ?? {};
  const [first] = useState<Subscription>(() => subscription ?? { ...(make(schema, section.schema) as Subscription), filter: "", kind: "stateful" });
  const [draft, write] = useState(first);
  const dirty = !same(draft, first);
  useGuard(dirty, mayLeave);
  const placeIn = (all: readonly Subscription[]): number => {
    const found = subscription === null ? -1 : all.findIndex((one) => keyOf(one) === keyOf(subscription));
    return found < 0 ? all.length : found;
  };
  const close = (): void => {
    section.forgive();
    onClose();
  };
  const leave = async (): Promise<void> => {
    if (!dirty || (await mayLeave())) close();
  };
  const saved = (): void => {
    toast(t("saved"), "good");
    close();
  };
  const save = async (): Promise<void> => {
    if (await section.save(({ subscriptions: all }) => ({ subscriptions: all.toSpliced(placeIn(all), 1, draft) }))) saved();
  };
  const title = subscription === null ? t("new_subscription") : t("edit_one", { filter: subscription.filter });
  return (
    <Dialog wide title={title} onClose={() => void leave()}>
      <Form class="stack" label={title} onSubmit={() => void save()}>
        <ConflictNotice section={section} onTheirs={close} onSaved={saved} />
        <SchemaForm
          schema={schema}
          root={section.schema}
          value={draft}
          onChange={(next: Subscription) => write(next)}
          problems={section.problems}
          base={`/mqtt/subscriptions/${placeIn(section.value!.subscriptions)}`}
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
          <Button onClick={() => void leave()}>{t("cancel")}</Button>
          <Button kind="primary" type="submit" busy={section.saving}>{t("save")}</Button>
        </div>
      </Form>
    </Dialog>
  );
}

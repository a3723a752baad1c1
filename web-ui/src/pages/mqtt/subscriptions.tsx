// What the device hears, and what came last: each subscription is an event for rules (MQT-14).

import { useState } from "preact/hooks";
import { useSection, type Section } from "../../settings";
import { Badge, Button, Card, confirm, Empty, Notice, Time, toast } from "../../ui";
import { UsedBy } from "../accessories/since";
import { complete, type Rule } from "../rules/model";
import { heardKey, useHeard, type Heard } from "./heard";
import { askedFor, eventOf, keyOf, MAX_SUBSCRIPTIONS, users, type Client, type Mqtt, type Subscription } from "./model";
import { Editor } from "./subscription";
import { t } from "./words";

interface Props {
  section: Section<Mqtt>;
  client: Client;
}

export function Subscriptions({ section, client }: Props) {
  const [edited, edit] = useState<Subscription | "new" | null>(null);
  const rules = (useSection<Rule[]>("rules").value ?? []).map(complete);
  const heard = useHeard();
  const all = section.value!.subscriptions;
  const may = section.may("/subscriptions");
  const full = all.length >= MAX_SUBSCRIPTIONS;
  const add = may && (
    <Button kind="primary" icon="plus" disabled={full} onClick={() => edit("new")}>
      {t("subscribe")}
    </Button>
  );
  const remove = async (one: Subscription): Promise<void> => {
    const used = users(rules, one);
    if (!(await confirm({ title: t("remove_sure", { filter: one.filter }), words: used.length ? t("remove_used", { rules: used.join(", ") }) : t("remove_words"), action: t("remove"), danger: true }))) return;
    if (await section.save(({ subscriptions }) => ({ subscriptions: subscriptions.filter((other) => keyOf(other) !== keyOf(one)) }))) toast(t("removed"), "good");
    else toast(section.peek().problems.map(({ message }) => message).join("; ") || t("refused"), "bad");
  };
  return (
    <Card title={t("subscriptions")} actions={all.length > 0 && add}>
      <p class="hint">{t("subscriptions_hint")}</p>
      {full && <Notice tone="fair">{t("full", { limit: MAX_SUBSCRIPTIONS })}</Notice>}
      {all.length === 0 ? (
        <Empty icon="mqtt" title={t("none")} action={add}>
          {t("none_hint")}
        </Empty>
      ) : (
        <ul class="mqtt-list" aria-label={t("subscriptions")}>
          {all.map((one) => (
            <li key={keyOf(one)} class="mqtt-subscription" aria-label={one.filter}>
              <div class="mqtt-what">
                <code>{askedFor(one, client.prefix)}</code>
                <small>
                  {one.kind === "stateful" ? t("holds_while", { payload: one.true_payload }) : t("each_message")} · QoS {one.qos}
                </small>
              </div>
              <Came subscription={one} heard={heard[heardKey(eventOf(one), one)]} />
              <UsedBy rules={users(rules, one)} make={new URLSearchParams({ event: eventOf(one), filter: one.filter, ...(one.kind === "stateful" && { active: "true" }) }).toString()} />
              {may && (
                <div class="row">
                  <Button small icon="edit" aria-label={t("edit_one", { filter: one.filter })} onClick={() => edit(one)}>
                    {t("edit")}
                  </Button>
                  <Button small kind="quiet" icon="trash" aria-label={t("remove_one", { filter: one.filter })} onClick={() => void remove(one)}>
                    {t("remove")}
                  </Button>
                </div>
              )}
            </li>
          ))}
        </ul>
      )}
      {edited !== null && <Editor section={section} prefix={client.prefix} subscription={edited === "new" ? null : edited} onClose={() => edit(null)} />}
    </Card>
  );
}

/** What came last, and of a state what it means. */
function Came({ subscription: { kind }, heard }: { subscription: Subscription; heard: Heard | undefined }) {
  return (
    <div class="mqtt-came" aria-live="polite">
      {kind === "stateful" && <Badge dot tone={heard?.active ? "accent" : "neutral"}>{heard?.active ? t("active") : t("inactive")}</Badge>}
      {heard ? (
        <span>
          {kind === "stateless" && <code>{heard.topic}</code>} <q>{heard.payload || t("empty")}</q> {heard.time !== null && <small><Time wall={heard.time} seconds /></small>}
        </span>
      ) : (
        <span class="dim">{t("nothing_came")}</span>
      )}
    </div>
  );
}

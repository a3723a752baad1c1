// The device in Home Assistant, and orders that come over MQTT.

import { status } from "../../live";
import { changes, merged, useSection } from "../../settings";
import { Button, Card, CopyText, Form, Loading, Notice, SchemaForm, toast, useDraft } from "../../ui";
import { number } from "../../words";
import type { Client } from "./model";
import { t } from "./words";

interface Home {
  discovery: boolean;
  discovery_prefix: string;
  commands: boolean;
}

const ORDER = ["/discovery", "/commands", "/discovery_prefix"];

export function HomeAssistant({ client }: { client: Client }) {
  const section = useSection<Home>("home");
  const draft = useDraft(section);
  if (!section.value) return <Loading />;
  const stored = section.value;
  const value = merged(stored, draft.value);
  const save = async (): Promise<void> => {
    if (await draft.save()) toast(t("saved"), "good");
  };
  const wanted = stored.discovery || stored.commands;
  return (
    <Card title={t("home")}>
      <div class="stack">
        <p class="hint">{t("home_hint")}</p>
        {wanted && !client.active && <Notice tone="fair">{t("home_needs")}</Notice>}
        <Form class="stack" label={t("home")} onSubmit={() => void save()}>
          {draft.notice}
          <SchemaForm schema={section.schema} value={value} onChange={(next: Home) => draft.write(changes(stored, next))} problems={section.problems} base="/home" brief={["/discovery", "/commands"]} order={ORDER} readOnly={(path) => !section.may(path)} />
          {value.commands && <Notice tone="fair" title={t("commands_title")}>{t("commands_words")}</Notice>}
          {draft.dirty && (
            <div class="form-foot">
              <Button onClick={draft.forget}>{t("cancel")}</Button>
              <Button kind="primary" type="submit" busy={section.saving}>{t("save")}</Button>
            </div>
          )}
        </Form>
        {wanted && <Told prefix={client.prefix} commands={stored.commands} />}
      </div>
    </Card>
  );
}

/** What the broker keeps for a home, and what came from there. */
function Told({ prefix, commands }: { prefix: string; commands: boolean }) {
  const { topics, orders, dropped } = (status.value?.home ?? {}) as { topics: number; orders: number; dropped: number };
  return (
    <dl class="mqtt-facts">
      <div>
        <dt>{t("topics_kept")}</dt>
        <dd>{number(topics)}</dd>
      </div>
      {commands && (
        <>
          <div>
            <dt>{t("orders")}</dt>
            <dd>{number(orders)}</dd>
          </div>
          <div>
            <dt>{t("orders_dropped")}</dt>
            <dd>{number(dropped)}</dd>
          </div>
          <div class="mqtt-prefix">
            <dt>{t("example")}</dt>
            <dd><CopyText text={`mosquitto_pub -t ${prefix}/command/start-profile -m '{"profile": "Evacuate"}'`} label={t("copy_example")} /></dd>
          </div>
        </>
      )}
    </dl>
  );
}

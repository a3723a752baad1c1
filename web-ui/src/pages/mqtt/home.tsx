// The device in Home Assistant, and orders that come over MQTT.

import { useState } from "preact/hooks";
import { status } from "../../live";
import { useGuard } from "../../router";
import { changes, merged, type Patched, useSection } from "../../settings";
import { Button, Card, ConflictNotice, CopyText, Form, Loading, mayLeave, Notice, SchemaForm, toast } from "../../ui";
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
  const [draft, write] = useState<Patched<Home>>({});
  const dirty = Object.keys(draft).length > 0;
  useGuard(dirty, mayLeave);
  if (!section.value) return <Loading />;
  const stored = section.value;
  const value = merged(stored, draft);
  const close = (): void => {
    section.forgive();
    write({});
  };
  const save = async (): Promise<void> => {
    if (!(await section.save(draft))) return;
    toast(t("saved"), "good");
    write({});
  };
  const wanted = stored.discovery || stored.commands;
  return (
    <Card title={t("home")}>
      <div class="stack">
        <p class="hint">{t("home_hint")}</p>
        {wanted && !client.active && <Notice tone="fair">{t("home_needs")}</Notice>}
        <Form class="stack" label={t("home")} onSubmit={() => void save()}>
          {dirty && <ConflictNotice section={section} onTheirs={close} onSaved={close} />}
          <SchemaForm schema={section.schema} value={value} onChange={(next: Home) => write(changes(stored, next))} problems={section.problems} base="/home" brief={["/discovery", "/commands"]} order={ORDER} readOnly={(path) => !section.may(path)} />
          {value.commands && <Notice tone="fair" title={t("commands_title")}>{t("commands_words")}</Notice>}
          {dirty && (
            <div class="form-foot">
              <Button onClick={close}>{t("cancel")}</Button>
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

// A message by hand: published by way of the outbox, with what the broker made of it.

import { useState } from "preact/hooks";
import { command, Problem } from "../../api";
import { Button, Dialog, Form, Notice, Select, TextField, Toggle } from "../../ui";
import { fate, MAX_TOPIC, type Client } from "./model";
import { t } from "./words";

const MAX_PAYLOAD = 8192;

export function Publish({ client, onClose }: { client: Client; onClose: () => void }) {
  const [topic, name] = useState("test");
  const [payload, write] = useState("On");
  const [prefixed, prefix] = useState(true);
  const [retain, keep] = useState(false);
  const [qos, choose] = useState(1);
  const [id, send] = useState<string | null>(null);
  const [wrong, complain] = useState("");
  const publish = async (): Promise<void> => {
    complain("");
    try {
      send(await command<string>("publish-mqtt", { topic, payload, qos, retain, use_prefix: prefixed }));
    } catch (refused) {
      if (!(refused instanceof Problem)) throw refused;
      send(null);
      complain(refused.message);
    }
  };
  const done = id === null ? null : fate(id);
  return (
    <Dialog title={t("publish")} onClose={onClose}>
      <Form class="stack" label={t("publish")} onSubmit={() => void publish()}>
        <p class="hint">{t("publish_hint")}</p>
        <TextField name="topic" label={t("topic")} required maxLength={MAX_TOPIC} value={topic} error={wrong} hint={prefixed ? `${client.prefix}/${topic}` : undefined} onChange={name} />
        <Toggle label={t("use_prefix")} checked={prefixed} onChange={prefix} />
        <TextField name="payload" label={t("payload")} rows={3} maxLength={MAX_PAYLOAD} value={payload} onChange={write} />
        <div class="mqtt-pair">
          <Select label={t("qos")} value={qos} choices={[0, 1, 2].map((value) => ({ value, label: t(`qos_${value as 0 | 1 | 2}`) }))} onChange={choose} />
          <Toggle label={t("retain")} hint={t("retain_hint")} checked={retain} onChange={keep} />
        </div>
        <div role="status">
          {id !== null && (done ? <Notice tone={done.sent ? "good" : "bad"}>{done.sent ? t(qos ? "taken" : "sent_off") : t("not_taken", { words: done.words })}</Notice> : <Notice>{client.connected ? t("on_its_way") : t("waits")}</Notice>)}
        </div>
        <div class="form-foot">
          <Button onClick={onClose}>{t("close")}</Button>
          <Button kind="primary" type="submit" icon="upload">{t("publish_now")}</Button>
        </div>
      </Form>
    </Dialog>
  );
}

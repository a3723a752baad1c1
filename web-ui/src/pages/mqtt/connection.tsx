// The broker: where it is, who we are there, and what is said when we come and go (MQT-02…12).

import type { Section } from "../../settings";
import { Notice, TextField, type SchemaField } from "../../ui";
import { Group } from "./group";
import { MAX_TOPIC, PORTS, type Mqtt, type Said } from "./model";
import { Pem } from "./pem";
import { t } from "./words";

const BRIEF = ["protocol", "host", "port", "user", "password"];
const MORE = ["version", "client_id", "topic_prefix", "clean_session", "reconnect", "keep_alive", "connect_timeout", "tls", "base_path", "alpn", "http_proxy", "https_proxy", "proxy_user", "proxy_password"];
const NOTICES = ["connect_message", "disconnect_message", "last_will"] as const;
const OWN = ["topic", "payload", "retain", "qos"];

const pointers = (names: readonly string[]): string[] => names.map((name) => `/${name}`);

export function Connection({ section, prefix }: { section: Section<Mqtt>; prefix: string }) {
  const { active } = section.value!;
  const protocols = { tcp: "TCP", ssl: t("ssl"), ws: "WebSocket", wss: t("wss") };
  const broker = (shown: Mqtt) => {
    const encrypted = shown.protocol === "ssl" || shown.protocol === "wss";
    const web = shown.protocol === "ws" || shown.protocol === "wss";
    const unused = [...(encrypted ? ["http_proxy"] : ["tls", "alpn", "https_proxy"]), ...(web ? [] : ["base_path"])];
    return {
      brief: pointers([...BRIEF, ...(encrypted ? ["tls"] : []), ...(web ? ["base_path"] : [])]),
      order: pointers([...BRIEF, ...MORE]),
      hide: pointers(unused.filter((name) => !section.problems.some(({ path }) => path.startsWith(`/mqtt/${name}`)))),
      hints: { "/port": t("port_hint", { port: String(PORTS[shown.protocol]) }) },
      values: protocols,
      render: { "/tls/authorities": pem, "/tls/certificate": pem, "/tls/private_key": pem },
    };
  };
  const notices = (shown: Mqtt) => ({
    hide: NOTICES.flatMap((name) => [...(shown[name].send ? [] : [`/${name}/use_default`]), ...(isOwn(shown[name]) ? [] : pointers(OWN).map((own) => `/${name}${own}`))]),
    hints: Object.fromEntries(NOTICES.map((name) => [`/${name}/use_default`, t("default_hint", { prefix })])),
    choices: Object.fromEntries(NOTICES.map((name) => [`/${name}/qos`, qosChoices()])),
    order: pointers(NOTICES),
    render: Object.fromEntries(NOTICES.map((name) => [`/${name}/topic`, topicField])),
  });
  return (
    <div class="mqtt-columns">
      <Group section={section} title={t("broker")} names={[...BRIEF, ...MORE]} form={broker} also={active ? undefined : { label: t("save_and_connect"), patch: { active: true } }}>
        {!section.may() && <Notice>{t("only_admins")}</Notice>}
      </Group>
      <Group section={section} title={t("notices")} names={NOTICES} form={notices}>
        <p class="hint">{t("notices_hint")}</p>
      </Group>
    </div>
  );
}

const pem = (field: SchemaField) => <Pem {...field} />;

/** A topic is one line, however long. */
export const topicField = ({ path, title, hint, value, onChange, error, disabled }: SchemaField) => (
  <TextField name={path} label={title} hint={hint} value={String(value ?? "")} maxLength={MAX_TOPIC} error={error} disabled={disabled} onChange={onChange} />
);

const isOwn = ({ send, use_default }: Said): boolean => send && !use_default;

export const qosChoices = () => ([0, 1, 2] as const).map((value) => ({ value: value as unknown, label: t(`qos_${value}`) }));

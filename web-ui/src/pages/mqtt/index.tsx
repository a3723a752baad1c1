// MQTT: the broker, what the device hears and says there, and Home Assistant (MQT-01…14).

import type { PageProps } from "../../pages";
import { status } from "../../live";
import { navigate } from "../../router";
import { useSection } from "../../settings";
import { Loading, Notice, PageHead, Tabs, type Tab } from "../../ui";
import { Connection } from "./connection";
import "./german";
import { Head } from "./head";
import { HomeAssistant } from "./home";
import type { Client, Mqtt } from "./model";
import "./mqtt.css";
import { Publications } from "./publications";
import { Subscriptions } from "./subscriptions";
import { t } from "./words";

const TABS = ["connection", "subscriptions", "publications", "home"] as const;

export default function MqttPage({ rest }: PageProps) {
  const section = useSection<Mqtt>("mqtt");
  const client = status.value?.mqtt as unknown as Client | undefined;
  if (!section.value || !client) return section.problems.length ? <Notice tone="bad">{section.problems[0]!.message}</Notice> : <Loading />;
  const content: Record<(typeof TABS)[number], Tab["content"]> = {
    connection: () => <Connection section={section} prefix={client.prefix} />,
    subscriptions: () => <Subscriptions section={section} client={client} />,
    publications: () => <Publications section={section} />,
    home: () => <HomeAssistant client={client} />,
  };
  return (
    <div class="mqtt">
      <PageHead title={t("title")}>{t("lead")}</PageHead>
      <Head section={section} client={client} />
      <Tabs label={t("title")} selected={rest[0] ?? "connection"} onSelect={(key) => navigate(`/mqtt/${key}`)} tabs={TABS.map((key) => ({ key, label: t(`tab_${key}`), content: content[key] }))} />
    </div>
  );
}

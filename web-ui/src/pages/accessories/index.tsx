// Accessories: what is wired to the device, what others switch over the network, and its lamps.

import type { PageProps } from "../../pages";
import { status } from "../../live";
import { navigate } from "../../router";
import { useSection } from "../../settings";
import { Loading, Notice, PageHead, Tabs, type Tab } from "../../ui";
import { complete, type Rule } from "../rules/model";
import "./accessories.css";
import "./german";
import { Lights } from "./lights";
import type { Ports } from "./model";
import { PortCards } from "./ports";
import { VirtualInputs } from "./virtual";
import { t } from "./words";

const TABS = ["ports", "virtual", "lights"] as const;

export default function Accessories({ rest }: PageProps) {
  const section = useSection<Ports>("ports");
  const rules = (useSection<Rule[]>("rules").value ?? []).map(complete);
  if (!section.value || !status.value) return section.problems.length ? <Notice tone="bad">{section.problems[0]!.message}</Notice> : <Loading />;
  const content: Record<(typeof TABS)[number], Tab["content"]> = {
    ports: () => <PortCards section={section} rules={rules} />,
    lights: () => <Lights />,
    virtual: () => <VirtualInputs section={section} rules={rules} />,
  };
  return (
    <div class="accessories">
      <PageHead title={t("title")}>{t("lead")}</PageHead>
      <Tabs label={t("title")} selected={rest[0] ?? "ports"} onSelect={(key) => navigate(`/accessories/${key}`)} tabs={TABS.map((key) => ({ key, label: t(`tab_${key}`), content: content[key] }))} />
    </div>
  );
}

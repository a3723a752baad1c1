// The device as such: what it is, whether it works, whom it reaches, and how it is kept and put back.

import { status } from "../../../live";
import { Card, Loading, PageHead } from "../../../ui/basics";
import { Health, Locate, Maintenance } from "../../overview/device";
import "../../overview/overview.css";
import { About } from "./about";
import { WaysBack } from "./back";
import { Backup } from "./backup";
import { Clients } from "./clients";
import { Comeback } from "./comeback";
import "./maintenance.css";
import { Reach } from "./reach";
import { Restore } from "./restore";
import { t } from "./words";

export default function Upkeep() {
  const now = status.value;
  if (now === null) return <Loading />;
  return (
    <div class="upkeep">
      <PageHead title={t("title")}>{t("lead")}</PageHead>
      <div class="upkeep-grid">
        <div>
          <About />
          <Card title={t("work")} class="stack">
            <p class="hint">{t("workLead")}</p>
            <Maintenance active={now.maintenance.active} />
            <Health now={now} />
            <Locate serial={now.device.serial} />
          </Card>
          <Reach />
          <Clients />
        </div>
        <div>
          <Backup />
          <Restore />
          <WaysBack />
        </div>
      </div>
      <Comeback />
    </div>
  );
}

// The device at a glance: what it shows and sounds, because of what, and what can be done at once.

import { status } from "../../live";
import { can } from "../../session";
import { Loading } from "../../ui";
import "../calls/calls.css";
import "./overview.css";
import { Calls, Pages } from "./calls";
import { DeviceCard } from "./device";
import { Events } from "./events";
import { LightCard } from "./light";
import { Lists } from "./lists";
import { ProfilesCard, Triggers } from "./profiles";
import Talk from "./talk";
import { t } from "./words";

export default function Overview() {
  const now = status.value;
  if (now === null) return <Loading />;
  return (
    <>
      <h1 class="hidden">{t("overview")}</h1>
      <div class="overview">
        <div class="overview-column overview-first">
          <LightCard now={now} />
          <Triggers triggers={now.triggers} />
        </div>
        <div class="overview-column overview-second">
          <Lists functions={now.functions} now={now.now} />
          <Calls now={now} />
          <Pages now={now} />
        </div>
        <div class="overview-column overview-third">
          <Talk />
          <ProfilesCard profiles={now.profiles} may={can("operator")} />
          <DeviceCard now={now} />
          <Events />
        </div>
      </div>
    </>
  );
}

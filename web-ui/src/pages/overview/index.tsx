// The device at a glance: what it shows and sounds, because of what, and what can be done at once.

import { useMemo } from "preact/hooks";
import { status } from "../../live";
import { can } from "../../session";
import type { Status } from "../../types";
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
  return status.value === null ? <Loading /> : <Board now={status.value} />;
}

/** Each card is rendered again when something that it tells has changed: what happens is in sight
 *  the sooner. */
function Board({ now }: { now: Status }) {
  const may = can("operator");
  const triggers = useMemo(() => <Triggers triggers={now.triggers} />, [now.triggers]);
  const lists = useMemo(() => <Lists functions={now.functions} now={now.now} />, [now.functions]);
  const calls = useMemo(() => <Calls now={now} />, [now.calls, now.listening]);
  const pages = useMemo(() => <Pages now={now} />, [now.multicast, now.stream, now.pages, now.clips]);
  const profiles = useMemo(() => <ProfilesCard profiles={now.profiles} may={may} />, [now.profiles, may]);
  return (
    <>
      <h1 class="hidden">{t("overview")}</h1>
      <div class="overview">
        <div class="overview-column overview-first">
          <LightCard now={now} />
          {triggers}
        </div>
        <div class="overview-column overview-second">
          {lists}
          {calls}
          {pages}
        </div>
        <div class="overview-column overview-third">
          <Talk />
          {profiles}
          <DeviceCard now={now} />
          <Events />
        </div>
      </div>
    </>
  );
}

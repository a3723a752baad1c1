// The device at a glance: what it shows and sounds, because of what, and what can be done at once.

import { signal } from "@preact/signals";
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

const ONE = matchMedia("(max-width: 56rem)");
const TWO = matchMedia("(max-width: 84rem)");

const fitting = (): 1 | 2 | 3 => (ONE.matches ? 1 : TWO.matches ? 2 : 3);
const columns = signal(fitting());
for (const width of [ONE, TWO]) width.addEventListener("change", () => (columns.value = fitting()));

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
  const shown = [<LightCard key="light" now={now} />, triggers];
  const running = [lists, calls, pages];
  const ready = [<Talk key="talk" />, profiles, <DeviceCard key="device" now={now} />];
  const events = <Events key="events" />;
  const arranged = { 1: [[shown, running, ready, events]], 2: [[shown, ready], [running, events]], 3: [[shown], [running, events], [ready]] };
  return (
    <>
      <h1 class="hidden">{t("overview")}</h1>
      <div class="overview" data-columns={columns.value}>
        {arranged[columns.value].map((column, n) => (
          <div key={n} class="overview-column">{column}</div>
        ))}
      </div>
    </>
  );
}

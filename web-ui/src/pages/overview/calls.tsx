// Who talks with the device, and who pages it.

import { command } from "../../api";
import { can } from "../../session";
import type { PageState, Status } from "../../types";
import { attempt, Badge, Button, Card, IconButton, Meter } from "../../ui";
import { RunningCall } from "../calls/call";
import { t } from "./words";

const CALLS_MAX = 50; // listed here; the page of calls has all
const FAINT = -90; // dBFS; what is less is not known

export function Calls({ now }: { now: Status }) {
  const { calls, listening } = now;
  const port = listening.map((words) => /^(?:UDP|TCP) (\d+)/.exec(words)?.[1]).find(Boolean);
  return (
    <Card
      title={t("calls")}
      class="overview-calls"
      actions={
        <>
          {can("operator") && calls.length > 1 && <Button small icon="hangup" onClick={() => void attempt(() => command("hang-up"))}>{t("hangUpAll")}</Button>}
          <a href="#/calls">{t("more")}</a>
        </>
      }
    >
      {calls.length ? (
        <ul>
          {calls.slice(0, CALLS_MAX).map((call) => (
            <RunningCall key={call.id} call={call} />
          ))}
        </ul>
      ) : (
        <p class="overview-none">
          {t("noCalls")} {port && t("dial", { address: `sip:anything@${location.hostname}${port === "5060" ? "" : `:${port}`}` })}
        </p>
      )}
    </Card>
  );
}

interface Heard {
  key: string;
  name: string;
  where: string;
  hidden: boolean;
  level: number | null;
  stop?: () => Promise<boolean>;
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** Everything besides calls and the siren that is heard, or would be. */
function heard({ multicast, stream, pages, clips }: Status): Heard[] {
  const found: Heard[] = multicast.told.filter(({ state }) => state !== "idle").map(paged);
  if (text(stream.state) !== "idle") found.push({ key: "stream", name: t("stream"), where: sender(text(stream.sender)), hidden: stream.state === "hidden", level: Number(stream.level_db) });
  if (text(pages.playing)) found.push({ key: "delayed", name: t("playingPage"), where: text(pages.playing), hidden: false, level: null, stop: () => attempt(() => command("stop-pages")) });
  for (const { playback, clip } of clips) {
    const stop = (): Promise<boolean> => attempt(() => command("stop-clip", { playback }));
    found.push({ key: `clip ${playback}`, name: clip, where: t("clip"), hidden: false, level: null, stop });
  }
  return found;
}

const sender = (from: string): string => (from ? t("from", { sender: from }) : "");

function paged({ label, address, port, state, caller_id, sender: from, level_db }: PageState): Heard {
  const where = [caller_id, sender(from), `${address}:${port}`].filter(Boolean).join(" · ");
  return { key: `page ${label}`, name: label, where, hidden: state === "hidden", level: level_db };
}

export function Pages({ now }: { now: Status }) {
  const found = heard(now);
  return (
    <Card title={t("pages")} class="overview-pages" actions={<a href="#/paging">{t(now.multicast.sources ? "toPaging" : "addSources")}</a>}>
      {found.length ? (
        <ul>
          {found.slice(0, CALLS_MAX).map((one) => (
            <li key={one.key}>
              <div>
                <strong>{one.name}</strong> <small>{one.where}</small>
              </div>
              <Badge dot tone={one.hidden ? "neutral" : "good"}>{t(one.hidden ? "hidden" : "heard")}</Badge>
              {one.stop && can("operator") && <IconButton small icon="stop" label={t("stopClip", { clip: one.name })} onClick={() => void one.stop!()} />}
              {one.level !== null && one.level > FAINT && <Meter small value={one.level} label={t("pageLevel", { name: one.name })} />}
            </li>
          ))}
        </ul>
      ) : (
        <p class="overview-none">{t(now.multicast.sources ? "noPages" : "noSources")}</p>
      )}
    </Card>
  );
}


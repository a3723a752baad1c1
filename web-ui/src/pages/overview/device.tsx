// The device as such: its state in a few words, maintenance, health, and where it is.

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { command, get, Problem } from "../../api";
import { newestEvents, repeat } from "../../live";
import { Link } from "../../router";
import { can } from "../../session";
import type { Status } from "../../types";
import { attempt, Badge, Button, Card, CopyText, Duration, Notice, Select, Time, Toggle } from "../../ui";
import { dateTimeAt, span, told } from "../../words";
import { t } from "./words";

const LOCATED = 10; // seconds for which the device shows where it is
const OFTEN = 60; // seconds between two looks at what changes rarely
const CHECK = 13; // the priority of the health check
const SAID = new Set(["maintenance", "account"]); // hints that stand above every page already
const LASTS = [0, 15, 60, 240, 1440] as const; // minutes of maintenance; 0: until it is switched off

/** GET /device and /time, as far as they are shown here: STA-01 to STA-05, STA-08. */
interface About {
  machine: { hardware?: string; system?: string };
  security: { mode: string; protocols: string[]; anonymous_viewing: boolean };
  hints: { about: string; words: string }[];
}
interface Clock {
  utc_offset_seconds: number;
  abbreviation: string;
  sync: { state: "synchronised" | "not synchronised" | "unknown"; until_next: number | null };
}

const SYNC = { synchronised: "synchronised", "not synchronised": "notSynchronised", unknown: "syncUnknown" } as const;

interface Facts {
  about: About;
  clock: Clock;
  clients: number | null; // for administrators (STA-08)
}

/** Asked when the tile is shown, when settings change, and now and then. */
function useFacts(): Facts | null {
  const [facts, tell] = useState<Facts | null>(null);
  const all = can("administrator");
  useEffect(() => {
    let here = true;
    const look = async (): Promise<void> => {
      try {
        const [about, clock, clients] = await Promise.all([get<About>("/device"), get<Clock>("/time"), all ? get<{ total: number }>("/clients") : null]);
        if (here) tell({ about, clock, clients: clients?.total ?? null });
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem; // what is shown stays until the next look
      }
    };
    void look();
    const again = repeat(look, OFTEN);
    const end = newestEvents.subscribe((fresh) => {
      if (fresh.some(({ chain }) => chain[0]?.name === "device/settings")) void look();
    });
    return () => {
      here = false;
      again();
      end();
    };
  }, [all]);
  return facts;
}

/** What the device is like, and the page that has more of it. */
export function Fact({ name, path, children }: { name: string; path?: string | false | undefined; children: ComponentChildren }) {
  return (
    <>
      <dt>{path ? <Link path={path}>{name}</Link> : name}</dt>
      <dd>{children}</dd>
    </>
  );
}

export function DeviceCard({ now }: { now: Status }) {
  const { device, services } = now;
  const facts = useFacts();
  const broken = Object.entries(services).filter(([, problem]) => problem);
  const all = can("administrator");
  return (
    <Card title={t("device")} class="overview-device">
      {can("operator") && <Maintenance active={now.maintenance.active} />}
      <Health now={now} />
      {can("operator") && <Locate serial={device.serial} />}
      <dl class="facts">
        <Fact name={t("serial")}><CopyText text={device.serial} /></Fact>
        <Fact name={t("version")} path={all && "/maintenance"}>{device.version}</Fact>
        <Fact name={t("uptime")}><Duration since={now.now - device.uptime_seconds} /></Fact>
        <Fact name={t("accounts")} path="/sip"><Accounts now={now} /></Fact>
        <Fact name={t("speakerTest")} path="/audio">{t(now.speaker_test.calibrated ? "calibrated" : "notCalibrated")}</Fact>
        {facts && <Asked {...facts} wall={device.wall} />}
        {now.storage.alert && <Fact name={t("storage")} path="/media"><Badge tone="fair">{now.storage.words}</Badge></Fact>}
      </dl>
      {facts?.about.hints.filter((hint) => !SAID.has(hint.about)).map((hint) => (
        <Notice key={hint.words} tone="fair">{told(hint.words)}</Notice>
      ))}
      {broken.length ? (
        <ul class="overview-broken" aria-label={t("services")}>
          {broken.map(([name, problem]) => (
            <li key={name}>
              <Badge tone="bad" dot>{name}</Badge> {problem}
            </li>
          ))}
        </ul>
      ) : (
        <p><Badge tone="good" dot>{t("allGood")}</Badge></p>
      )}
    </Card>
  );
}

/** What is not in the live feed: the clock, who gets in and how, the machine (STA-02, -03, -08). */
function Asked({ about: { security, machine }, clock, clients, wall }: Facts & { wall: string }) {
  const all = can("administrator");
  const next = clock.sync.until_next;
  const served = security.mode === "http" ? t("unencrypted") : security.mode === "both" ? t("both") : t("encrypted");
  return (
    <>
      <Fact name={t("time")} path="/time">
        <time dateTime={wall}>{dateTimeAt(wall, clock.utc_offset_seconds)}</time> {clock.abbreviation}
        <small class="overview-sync">{[t(SYNC[clock.sync.state]), next !== null && t("nextSync", { time: span(next) })].filter(Boolean).join(" · ")}</small>
      </Fact>
      <Fact name={t("security")} path={all && "/certificates"}>{[served, ...security.protocols, security.anonymous_viewing && t("anonymous")].filter(Boolean).join(" · ")}</Fact>
      {clients !== null && <Fact name={t("clients")} path="/maintenance">{t("connections", { n: clients })}</Fact>}
      <Fact name={t("machine")}>{[machine.hardware, machine.system].filter(Boolean).join(" · ")}</Fact>
    </>
  );
}

function Accounts({ now: { registrations, registrations_total: total } }: { now: Status }) {
  const bad = registrations.filter(({ problem }) => problem).length;
  if (!total) return <>{t("byAddress")}</>;
  return (
    <span class="overview-accounts">
      {bad > 0 && <Badge tone="bad" dot>{t("accountsBad", { n: bad })}</Badge>}
      {total > bad && <Badge tone="good" dot>{t("accountsGood", { n: total - bad })}</Badge>}
    </span>
  );
}

/** MNT-06, MNT-07: with a time at which it ends by itself. */
export function Maintenance({ active }: { active: boolean }) {
  const [minutes, choose] = useState(0);
  const turn = (on: boolean): Promise<boolean> => attempt(() => command("set-maintenance", on && minutes ? { active: on, seconds: 60 * minutes } : { active: on }));
  const words = (n: number): string => (n === 0 ? t("forever") : n < 60 ? t("minutes", { n }) : t("hours", { n: n / 60 }));
  return (
    <div class="overview-maintenance">
      <Toggle name="maintenance" label={t("maintenance")} checked={active} onChange={(on) => void turn(on)} />
      {!active && <Select hideLabel label={t("lasts")} value={minutes} onChange={choose} choices={LASTS.map((value) => ({ value: value as number, label: words(value) }))} />}
    </div>
  );
}

export function Health({ now: { health, functions } }: { now: Status }) {
  const runs = functions.some(({ operations }) => operations.some(({ priority }) => priority === CHECK));
  return (
    <div class="overview-health">
      {can("operator") && <Button small icon="health" disabled={runs} onClick={() => void attempt(() => command("run-health-check"))}>{t("healthCheck")}</Button>}
      <p aria-live="polite">
        {runs ? (
          t("healthRuns")
        ) : (
          health && (
            <>
              <Badge dot tone={health.errors.length ? "bad" : "good"}>{t(health.errors.length ? "healthFailed" : "healthPassed")}</Badge> <small><Time wall={health.at} /></small> {health.errors.join("; ")}
            </>
          )
        )}
      </p>
    </div>
  );
}

/** IDN-01. */
export function Locate({ serial }: { serial: string }) {
  const [until, set] = useState(0);
  useEffect(() => {
    if (!until) return undefined;
    const end = setTimeout(() => set(0), 1000 * LOCATED);
    return () => clearTimeout(end);
  }, [until]);
  const locate = async (): Promise<void> => {
    if (await attempt(() => command("locate-device", { seconds: LOCATED }))) set(performance.now());
  };
  return (
    <div class="overview-health">
      <Button small icon="locate" onClick={() => void locate()}>{t("locate")}</Button>
      <p aria-live="polite">{until > 0 && t("locating", { n: LOCATED, serial, host: location.host })}</p>
    </div>
  );
}

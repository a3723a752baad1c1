// The device as such: its state in a few words, maintenance, health, and where it is.

import { useEffect, useState } from "preact/hooks";
import { command } from "../../api";
import { can } from "../../session";
import type { Status } from "../../types";
import { attempt, Badge, Button, Card, CopyText, Duration, Select, Time, Toggle } from "../../ui";
import { t } from "./words";

const LOCATED = 10; // seconds for which the device shows where it is
const CHECK = 13; // the priority of the health check
const LASTS = [0, 15, 60, 240, 1440] as const; // minutes of maintenance; 0: until it is switched off

export function DeviceCard({ now }: { now: Status }) {
  const { device, services } = now;
  const broken = Object.entries(services).filter(([, problem]) => problem);
  return (
    <Card title={t("device")} class="overview-device">
      {can("operator") && <Maintenance active={now.maintenance.active} />}
      <Health now={now} />
      {can("operator") && <Locate serial={device.serial} />}
      <dl class="facts">
        <dt>{t("serial")}</dt>
        <dd><CopyText text={device.serial} /></dd>
        <dt>{t("version")}</dt>
        <dd>{device.version}</dd>
        <dt>{t("uptime")}</dt>
        <dd><Duration since={now.now - device.uptime_seconds} /></dd>
        <dt>{t("accounts")}</dt>
        <dd><Accounts now={now} /></dd>
        {now.storage.alert && (
          <>
            <dt>{t("storage")}</dt>
            <dd><Badge tone="fair">{now.storage.words}</Badge></dd>
          </>
        )}
      </dl>
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

function Accounts({ now: { registrations, registrations_total: total } }: { now: Status }) {
  const bad = registrations.filter(({ problem }) => problem).length;
  if (!total) return <>{t("byAddress")}</>;
  return (
    <a href="#/sip" class="overview-accounts">
      {bad > 0 && <Badge tone="bad" dot>{t("accountsBad", { n: bad })}</Badge>}
      {total > bad && <Badge tone="good" dot>{t("accountsGood", { n: total - bad })}</Badge>}
    </a>
  );
}

/** MNT-06, MNT-07: with a time at which it ends by itself. */
function Maintenance({ active }: { active: boolean }) {
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

function Health({ now: { health, functions } }: { now: Status }) {
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
function Locate({ serial }: { serial: string }) {
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

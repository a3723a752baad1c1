// The clock of the device, its zone, and where it is (TIM-03, TIM-04, LOC-01, STA-02).

import { useSection } from "../../../settings";
import { Badge, Card, Loading, Notice, PageHead, useTick } from "../../../ui";
import { locale, number, seconds, span, told as inWords } from "../../../words";
import { useTold, type Told } from "../told";
import { Place } from "./place";
import { browserZone, type ClockTold, offsetWords } from "./zones";
import { Zone } from "./zone";
import { t } from "./words";
import "./time.css";

const FOLLOW = { settings: ["/device/time_zone"], every: 10 };
const SAME = 2; // seconds that clocks may differ and still show the same

export interface Device {
  name: string;
  time_zone: string;
  location: { latitude: number | null; longitude: number | null; heading: number | null; label: string };
  [more: string]: unknown;
}

export default function Time() {
  const section = useSection<Device>("device");
  const told = useTold<ClockTold>("/time", FOLLOW);
  if (!section.value) return <Loading />;
  return (
    <>
      <PageHead title={t("title")}>{t("lead")}</PageHead>
      {!section.may("") && (
        <div class="time-notice">
          <Notice>{t("onlyAdmins")}</Notice>
        </div>
      )}
      <div class="page-grid">
        <div class="stack">
          <Clock told={told} />
          <Zone section={section} clock={told.value} />
        </div>
        <Place section={section} />
      </div>
    </>
  );
}

/** The clock as it goes on, whether something adjusts it, and how far the browser's is from it. */
function Clock({ told }: { told: Told<ClockTold> }) {
  useTick();
  const clock = told.value;
  if (!clock) return <Card title={t("clock")}>{told.problem ? <p class="error" role="alert">{told.problem}</p> : <Loading />}</Card>;
  const now = Date.parse(clock.wall) + performance.now() - told.at;
  const local = new Date(now + 1000 * clock.utc_offset_seconds); // its UTC fields are those of the zone
  const format = (options: Intl.DateTimeFormatOptions): string => new Intl.DateTimeFormat(locale.value, { timeZone: "UTC", ...options }).format(local);
  const zone = clock.zone || clock.abbreviation || t("zoneUnnamed");
  return (
    <Card title={t("clock")} class="time-clock">
      <p class="time-now" role="timer" aria-live="off">
        <time dateTime={new Date(now).toISOString()}>{format({ hour: "2-digit", minute: "2-digit", second: "2-digit" })}</time>
        <span>{format({ weekday: "long", day: "numeric", month: "long", year: "numeric" })}</span>
        <small>
          {t("zoneOf", { zone, offset: offsetWords(clock.utc_offset_seconds) })}
          {clock.zone_by === "system" && ` (${t("zoneSystem")})`}
        </small>
      </p>
      <Sync sync={clock.sync} />
      <dl class="facts">
        <Compared ahead={(Date.now() - now) / 1000} />
        {clock.sync.server && (
          <>
            <dt>{t("server")}</dt>
            <dd>{clock.sync.server}</dd>
          </>
        )}
        {clock.sync.error_seconds !== null && (
          <>
            <dt>{t("error")}</dt>
            <dd>{t("milliseconds", { n: number(1000 * clock.sync.error_seconds, 1) })}</dd>
          </>
        )}
        {clock.sync.until_next !== null && (
          <>
            <dt>{t("next")}</dt>
            <dd>{span(clock.sync.until_next)}</dd>
          </>
        )}
      </dl>
      <p class="hint">{t("setElsewhere")}</p>
      <p class="hint">{t("shownIn", { zone: browserZone() })}</p>
    </Card>
  );
}

const TONES = { synchronised: "good", "not synchronised": "fair", unknown: "neutral" } as const;
const STATES = { synchronised: "synchronised", "not synchronised": "not_synchronised", unknown: "unknown" } as const;

function Sync({ sync: { state, words } }: { sync: ClockTold["sync"] }) {
  return (
    <div class="time-sync" role="status">
      <Badge dot tone={TONES[state]}>{t(STATES[state])}</Badge>
      {state !== "synchronised" && <span>{inWords(words)}</span>}
    </div>
  );
}

/** How far the browser's clock is from the device's. */
function Compared({ ahead }: { ahead: number }) {
  const apart = Math.abs(ahead);
  return (
    <>
      <dt>{t("browser")}</dt>
      <dd>{apart < SAME ? t("same") : t(ahead > 0 ? "ahead" : "behind", { time: seconds(apart) })}</dd>
    </>
  );
}

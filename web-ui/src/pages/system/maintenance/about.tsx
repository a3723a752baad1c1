// What the device is, and how it stands, in a few lines with ways to more (STA-01 … STA-05, STA-07).

import { status } from "../../../live";
import { Badge, Card, Loading, Notice, type Tone } from "../../../ui/basics";
import { CopyText, Duration, Time } from "../../../ui/things";
import { bytes, number, told } from "../../../words";
import { Fact } from "../../overview/device";
import { useTold } from "../told";
import { t } from "./words";

interface Device {
  name: string;
  serial: string;
  version: string;
  machine: Partial<Record<"hardware" | "system" | "kernel" | "host" | "python", string> & Record<"cpus" | "memory_mb" | "up_seconds", number>>;
  own_files: { state: "intact" | "changed" | "unknown"; words: string } | null;
  security: { mode: string; protocols: string[]; certificate: string; anonymous_viewing: boolean; accounts: number };
  speaker_test: { calibrated?: boolean };
  location: { label: string };
  hints: { about: string; words: string }[];
}

interface Clock {
  wall: string;
  zone: string;
  sync: { state: string; words: string };
}

const SELDOM = 30; // seconds
const TONES: Record<string, Tone> = { intact: "good", changed: "bad", unknown: "neutral" };
const SAID = new Set(["maintenance", "account"]); // stand above every page already

export function About() {
  const device = useTold<Device>("/device", { settings: ["/device", "/web"], every: SELDOM });
  const clock = useTold<Clock>("/time", { settings: ["/device"], every: SELDOM });
  const now = status.value;
  const about = device.value;
  if (about === null || now === null) return <Card title={t("device")}>{device.problem ? <Notice tone="bad">{device.problem}</Notice> : <Loading />}</Card>;
  const { machine, security } = about;
  return (
    <Card title={t("device")} class="upkeep-about">
      {about.hints.filter((hint) => !SAID.has(hint.about)).map((hint) => (
        <Notice key={hint.words} tone="fair">{told(hint.words)}</Notice>
      ))}
      <dl class="facts">
        <Fact name={t("name")}>{about.name} {about.location.label && <small>{about.location.label}</small>}</Fact>
        <Fact name={t("serial")}><CopyText text={about.serial} /></Fact>
        <Fact name={t("version")}>sipstrobe {about.version}</Fact>
        <Fact name={t("files")}>{about.own_files === null ? t("lookingThrough") : <><Badge tone={TONES[about.own_files.state]}>{t(`files_${about.own_files.state}`)}</Badge> <small>{told(about.own_files.words)}</small></>}</Fact>
        <Fact name={t("runs")}><Duration since={now.now - now.device.uptime_seconds} /></Fact>
        <Fact name={t("time")} path="/time">{clock.value && <><Time wall={clock.value.wall} full /> <small>{t(clock.value.sync.state === "synchronised" ? "synchronised" : clock.value.sync.state === "unknown" ? "syncUnknown" : "notSynchronised")}</small></>}</Fact>
        <Fact name={t("security")} path="/certificates">{[t(`mode_${security.mode}` as "mode_http"), ...security.protocols, security.anonymous_viewing && t("anonymous")].filter(Boolean).join(" · ")}</Fact>
        <Fact name={t("speakerTest")} path="/audio">{t(about.speaker_test.calibrated ? "calibrated" : "notCalibrated")}</Fact>
        <Fact name={t("recordings")} path="/media">{now.recordings.length ? t("recordingNow", { n: now.recordings.length }) : t("noRecording")} · {t("free", { size: bytes(now.storage.free_mb * 1e6) })}</Fact>
        <Fact name={t("machine")}>{[machine.hardware, machine.cpus && t("cpus", { n: machine.cpus }), machine.memory_mb && bytes(machine.memory_mb * 2 ** 20)].filter(Boolean).join(" · ")}</Fact>
        <Fact name={t("system")}>{[machine.system, machine.kernel && `Linux ${machine.kernel}`, machine.python && `Python ${machine.python}`].filter(Boolean).join(" · ")}</Fact>
        <Fact name={t("host")}>{machine.host}</Fact>
        <Fact name={t("accounts")} path="/users">{number(security.accounts)}</Fact>
      </dl>
    </Card>
  );
}

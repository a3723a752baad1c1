// The speaker: how loud, what it plays on, and what sounds now.

import { useState } from "preact/hooks";
import { command } from "../../api";
import { events, levels, sounding, status } from "../../live";
import { can } from "../../session";
import type { Section } from "../../settings";
import { Badge, Button, Card, Empty, join, vars } from "../../ui/basics";
import { Select, Slider, Toggle } from "../../ui/fields";
import { Meter } from "../../ui/things";
import { attempt } from "../../ui/toast";
import { dateTime, decibels, party, told } from "../../words";
import type { AudioSettings, Source } from "./model";
import { kindWords } from "./policy";
import { t } from "./words";

const VOLUME = { min: -60, max: 0, step: 1 };
const NAMED = ["call", "page", "siren", "clip"] as const;
const INAUDIBLE = -90; // dB
const UNSEEN = 0.4; // dB that nobody has to be told of

export function Speaker({ section }: { section: Section<AudioSettings> }) {
  const sound = status.value?.sound;
  const now = sounding.value?.sound ?? sound;
  const values = section.value;
  if (!values) return null;
  const may = section.may("/volume_db");
  const differs = sound?.volume_db !== undefined && (sound.volume_db !== values.volume_db || sound.muted !== values.muted);
  const limited = Number(now?.limiter_db ?? 0);
  const problem = String(sound?.problem ?? "");
  return (
    <Card title={t("speaker")} class="audio-speaker">
      <Meter value={sounding.value?.sound.rms_db ?? levels.value.sound} peak={now?.peak_db as number | undefined} label={t("level")} />
      <div class="audio-limiter" style={vars({ share: Math.min(1, -limited / 12) })} aria-hidden="true"><i /></div>
      <p class="audio-under">
        <small class={join(problem && "audio-broken")}>{problem || (sound?.output ? t("playsOn", { output: sound.output }) : t("noSound"))}</small>
        <small>{limited < -0.05 ? t("limiter", { by: decibels(limited) }) : t("limiterRests")}</small>
      </p>
      <Volume label={t("volume")} value={values.volume_db} disabled={!may} save={(volume_db) => section.save({ volume_db })} />
      <Toggle label={t("mute")} checked={values.muted} disabled={!may} onChange={(muted) => void section.save({ muted })} />
      {differs && <p class="hint" role="status">{t("justNow", { volume: sound?.muted ? t("muted") : decibels(sound?.volume_db ?? 0) })}</p>}
      <h3>{t("kinds")}</h3>
      {NAMED.map((kind) => (
        <Volume key={kind} label={t(kind)} value={values.volumes[kind]} disabled={!may} save={(volume) => section.save({ volumes: { [kind]: volume } } as never)} />
      ))}
      <h3>{t("emergency")}</h3>
      <p class="hint">{t("emergencyHint")}</p>
      <Select
        label={t("from")}
        value={values.emergency.priority}
        disabled={!may}
        onChange={(priority: number | null) => void section.save({ emergency: { priority } } as never)}
        choices={[{ value: null, label: t("none") }, ...[10, 9, 8, 7, 6, 5, 4, 3, 2, 1].map((n) => ({ value: n, label: n === 10 ? t("only10") : t("andAbove", { n }) }))]}
      />
      {values.emergency.priority !== null && <Volume label={t("emergencyVolume")} value={values.emergency.volume_db} disabled={!may} save={(volume_db) => section.save({ emergency: { volume_db } } as never)} />}
    </Card>
  );
}

/** A volume that follows the hand, and is stored when that stands still. */
function Volume({ label, value, save, disabled }: { label: string; value: number; save: (value: number) => Promise<unknown>; disabled: boolean }) {
  const [held, hold] = useState<number | null>(null);
  const done = (wanted: number): void => {
    hold(wanted);
    void save(wanted).finally(() => hold(null));
  };
  return <Slider label={label} {...VOLUME} value={held ?? value} words={decibels} disabled={disabled} onChange={hold} onDone={done} />;
}

/** Whose sound it is, in words; empty where the kind says it all. */
export function whose(kind: string, owner: string): string {
  const call = status.value?.calls.find(({ id }) => id === owner);
  if (call) return party(call.remote_uri);
  if (kind === "clip") return owner.replace(/^clip \d+: /, "");
  return owner === kind || kind === "tone" ? "" : owner;
}

export function Now() {
  const sound = sounding.value?.sound;
  const sources = (sound?.sources ?? []) as unknown as Source[];
  const more = Number(sound?.sources_total ?? 0) - sources.length;
  return (
    <Card title={t("now")} class="audio-now">
      {sources.length === 0 && <Empty icon="audio" title={t("nothingSounds")}>{t("nothingHint")}</Empty>}
      <ul>
        {sources.map((source) => <OneSource key={source.owner} source={source} />)}
      </ul>
      {more > 0 && <p class="hint">{t("more", { n: more })}</p>}
      <LaterPages />
    </Card>
  );
}

function OneSource({ source }: { source: Source }) {
  const gain = source.gain > 0 ? 20 * Math.log10(source.gain) : -Infinity;
  const silent = gain < INAUDIBLE;
  return (
    <li data-kind={source.kind} class={join(silent && "audio-silenced")}>
      <b class="audio-rank" title={t("priority", { rank: source.rank })}>{source.rank}</b>
      <div>
        <strong>{kindWords(source.kind)}</strong>
        <small>{[whose(source.kind, source.owner), source.underruns > 0 && t("ranDry", { n: source.underruns })].filter(Boolean).join(" · ")}</small>
      </div>
      {silent ? <Badge>{t("silentNow")}</Badge> : Math.abs(gain) > UNSEEN && <Badge tone="fair">{t("softer", { by: decibels(gain) })}</Badge>}
      <Meter small value={source.rms_db} label={`${t("level")}: ${kindWords(source.kind)}`} />
    </li>
  );
}

/** Pages that are taken down while they are spoken, and heard when their callers have hung up. */
function LaterPages() {
  const pages = status.value?.pages as { recording?: unknown[]; waiting?: unknown[]; playing?: unknown } | undefined;
  const taken = pages?.recording?.length ?? 0;
  const waiting = pages?.waiting?.length ?? 0;
  const words = [taken > 0 && t("recordingOne", { n: taken }), pages?.playing && t("playingOne"), waiting > 0 && t("waiting", { n: waiting })].filter(Boolean);
  if (words.length === 0) return null;
  return (
    <div class="audio-later">
      <h3>{t("pages")}</h3>
      <p role="status">{words.join(". ")}.</p>
      {(pages?.playing || waiting > 0) && can("operator") && <Button small onClick={() => void attempt(() => command("stop-pages"))}>{t("stopPages")}</Button>}
    </div>
  );
}

export function SpeakerTest() {
  const test = status.value?.speaker_test as { calibrated?: boolean; at?: string | null; running?: string } | undefined;
  const last = events.value.find(({ chain }) => chain[0]?.name === "device/speaker_test")?.chain[0]?.items;
  const run = (name: string): void => void attempt(() => command(name));
  return (
    <Card title={t("test")} class="audio-test">
      <p class="hint">{t("testHint")}</p>
      <p role="status">{test?.running ? t("testRuns") : test?.calibrated ? t("calibrated", { when: test.at ? dateTime(test.at) : "" }) : t("notCalibrated")}</p>
      {last && !test?.running && <p class={last.passed ? "" : "audio-broken"}>{last.passed ? t("passed") : t("failed", { words: told(String(last.words)) })}</p>}
      {can("operator") && (
        <div class="buttons">
          <Button disabled={Boolean(test?.running)} onClick={() => run("calibrate-speaker")}>{t("calibrate")}</Button>
          <Button kind="primary" disabled={Boolean(test?.running) || !test?.calibrated} onClick={() => run("run-speaker-test")}>{t("runTest")}</Button>
        </div>
      )}
    </Card>
  );
}

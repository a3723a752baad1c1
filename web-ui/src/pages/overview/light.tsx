// The living light, and what is heard.

import { levels } from "../../live";
import type { Operation, Status } from "../../types";
import { Card, join, Meter, patternWords, SeizureWarning, Strobe } from "../../ui";
import { decibels, told } from "../../words";
import { t } from "./words";

const MAINTENANCE = 11; // its priority: nothing sounds then
const FAINT = -50; // dBFS; of a voice, less is silence

const winner = (now: Status, name: string): Operation | undefined => now.functions.find((one) => one.name === name)?.operations.find((one) => one.shown);
const words = ({ pattern, colors }: Operation): string => [patternWords(pattern), colors.map(told).join(", ")].filter(Boolean).join(" · ");

/** What is heard: the siren, clips that nothing silences, voices. */
function heard({ functions, clips, sound }: Status): [begun: string[], voice: boolean] {
  const siren = functions.find((one) => one.name === "AudioSpeaker")?.operations.find((one) => one.shown && one.priority !== MAINTENANCE);
  const sources = sound.sources ?? [];
  const silenced = new Set(sources.filter(({ gain }) => gain === 0).map(({ owner }) => owner));
  const played = clips.filter(({ playback, clip }) => !silenced.has(`clip ${playback}: ${clip}`)).map(({ clip }) => clip);
  const voice = sources.some(({ kind, rms_db }) => (kind === "call" || kind === "page") && rms_db > FAINT);
  return [[...(siren ? [patternWords(siren.pattern)] : []), ...new Set(played)], voice];
}

export function LightCard({ now }: { now: Status }) {
  const light = winner(now, "SignalingLED");
  const ring = winner(now, "AudioLED");
  const [begun, voice] = heard(now);
  const sounds = voice ? [...begun, t("voice")] : begun;
  return (
    <Card class="stage overview-stage">
      <h2 class="hidden">{t("light")}</h2>
      <Strobe label={light ? t("lightLabel", { what: words(light) }) : t("darkLabel")} sounds={sounds.length > 0} />
      <p class="hidden" role="status">{[light ? words(light) : t("dark"), ...begun].join(" · ")}</p> {/* without voices, which come and go */}
      <div class="overview-caption">
        <p class="overview-shown">{light ? words(light) : t("dark")}</p>
        <p class={join("overview-sounding", !sounds.length && "overview-quiet")}>{sounds.join(" · ") || t("silent")}</p>
        {ring && <p class="overview-quiet">{t("ring", { what: words(ring) })}</p>}
      </div>
      <Meter value={levels.value.sound} label={t("speakerLevel")} />
      <p class="overview-output">{output(now)}</p>
      <SeizureWarning />
    </Card>
  );
}

function output({ sound }: Status): string {
  if (!sound.output) return t("noSound");
  return [sound.output, typeof sound.volume_db === "number" && t("volume", { db: decibels(sound.volume_db) }), sound.muted && t("muted")].filter(Boolean).join(" · ");
}

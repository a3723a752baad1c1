// What was measured and what was heard since the start.

import { useEffect, useState } from "preact/hooks";
import { get } from "../../api";
import { repeat } from "../../live";
import { Button, Card, Empty } from "../../ui/basics";
import { Time } from "../../ui/things";
import { fixed, level, number, seconds } from "../../words";
import { useTold } from "../system/told";
import type { Measure, Played } from "./model";
import { kindWords } from "./policy";
import { t } from "./words";

const OFTEN = 5; // seconds between two looks at what was measured
const SHOWN = 12; // sounds of the past at first, and so many more each time
const BRIEF = 0.05; // seconds that nobody has to be told of
const DELAYS = { packet_to_sound_seconds: "packet", plan_to_sound_seconds: "plan", remove_to_silence_seconds: "remove" } as const;

const ms = (value: number): string => `${value < 0.0095 ? fixed(1000 * value, 1) : number(1000 * value, 0)} ms`;

export function Delays() {
  const [measured, tell] = useState<Record<string, Measure>>({});
  useEffect(() => {
    let over = false;
    const read = (): Promise<void> => get<Record<string, Measure>>("/measures").then((told) => void (over || tell(told)), () => undefined);
    void read();
    const again = repeat(read, OFTEN);
    return () => {
      over = true;
      again();
    };
  }, []);
  return (
    <Card title={t("delays")} class="audio-delays">
      <p class="hint">{t("delaysHint")}</p>
      <dl>
        {Object.entries(DELAYS).map(([name, key]) => {
          const one = measured[name];
          return (
            <div key={name}>
              <dt>{t(key)}</dt>
              <dd>
                <b class="figures">{one?.count ? ms(one.p50) : "–"}</b>
                <small>{one?.count ? `${t("spread", { p99: ms(one.p99) })} · ${t("times", { n: one.count })}` : t("notMeasured")}</small>
              </dd>
            </div>
          );
        })}
      </dl>
    </Card>
  );
}

export function History({ whose }: { whose: (kind: string, owner: string) => string }) {
  const { value } = useTold<{ played: Played[] }>("/sound/played", { events: ["sound/played"] });
  const [listed, list] = useState(SHOWN);
  const played = value?.played ?? [];
  return (
    <Card title={t("played")} class="audio-played">
      {value?.played.length === 0 && <Empty icon="audio" title={t("playedEmpty")} />}
      <ol>
        {played.slice(0, listed).map((sound, n) => (
          <li key={`${sound.first} ${sound.owner} ${n}`} data-heard={String(sound.heard_seconds > 0)}>
            <b class="audio-rank" title={t("priority", { rank: sound.rank })}>{sound.rank}</b>
            <div>
              <strong>{[kindWords(sound.kind), whose(sound.kind, sound.owner)].filter(Boolean).join(" · ")}</strong>
              <small>{details(sound)}</small>
            </div>
            <div class="audio-when">
              {sound.first && <Time wall={sound.first} />}
              {sound.heard_seconds > 0 && <small>{level(sound.level_db)}</small>}
            </div>
          </li>
        ))}
      </ol>
      {played.length > listed && <Button kind="quiet" onClick={() => list(listed + SHOWN)}>{t("moreSounds")}</Button>}
    </Card>
  );
}

function details(sound: Played): string {
  return [
    sound.heard_seconds > 0 ? t("heardFor", { length: seconds(sound.heard_seconds) }) : t("neverHeard"),
    sound.ducked_seconds >= BRIEF && t("softerFor", { length: seconds(sound.ducked_seconds) }),
    sound.hidden_seconds >= BRIEF && t("silentFor", { length: seconds(sound.hidden_seconds) }),
    sound.delay_ms >= 0 && t("firstAfter", { ms: number(sound.delay_ms, 0) }),
    sound.underruns > 0 && t("ranDry", { n: sound.underruns }),
    sound.late_periods > 0 && t("late", { n: sound.late_periods }),
  ].filter(Boolean).join(" · ");
}

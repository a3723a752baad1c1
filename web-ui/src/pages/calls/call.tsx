// One running call: who, since when, how loud, whether it is heard and why not, and what can be done.

import { useMemo, useState } from "preact/hooks";
import { del, post } from "../../api";
import { levels, status } from "../../live";
import { can } from "../../session";
import type { Call, CallAudio } from "../../types";
import { Badge, Button, type Tone } from "../../ui/basics";
import { Duration, Meter } from "../../ui/things";
import { attempt } from "../../ui/toast";
import { fixed, number, percent, told } from "../../words";
import { Keypad } from "./keypad";
import { codecName, gradeOf, own, party, stateWords, verdictWords, type Grade } from "./model";
import { t } from "./words";

const TONES: Record<Grade, Tone> = { good: "good", fair: "fair", bad: "bad", dim: "neutral" };
export const toneOf = (verdict: string): Tone => TONES[gradeOf(verdict)];

export function RunningCall({ call }: { call: Call }) {
  const [dialling, dial] = useState(false);
  const who = party(call.remote_uri);
  const path = `/calls/${encodeURIComponent(call.id)}`;
  const incoming = call.direction === "incoming";
  const active = call.state === "active";
  return (
    <li class="calls-call" data-call={call.id} data-state={call.state}>
      <div class="calls-head">
        <Direction direction={call.direction} />
        <div class="calls-party">
          <strong>{who}</strong>
          <small>{[t(incoming ? "to" : "as", { who: own(call) }), call.transport, call.account].filter(Boolean).join(" · ")}</small>
        </div>
        <span class="calls-state">
          {stateWords(call.state)} <Duration since={(status.value?.now ?? 0) - call.seconds} />
        </span>
        {can("operator") && (
          <div class="calls-buttons">
            {incoming && call.state === "ringing" && (
              <Button kind="primary" icon="phone" aria-label={t("answer_who", { party: who })} onClick={() => void attempt(() => post(`${path}/answer`))}>
                {t("answer")}
              </Button>
            )}
            {active && (
              <Button aria-expanded={dialling} aria-label={t("digits_who", { party: who })} onClick={() => dial(!dialling)}>
                {t("digits")}
              </Button>
            )}
            <Button kind="danger" icon="hangup" aria-label={t("hang_up_who", { party: who })} onClick={() => void attempt(() => del(path))}>
              {t("hang_up")}
            </Button>
          </div>
        )}
      </div>
      {active && <Meter small value={levels.value.calls[call.id] ?? call.level_db} label={t("level", { party: who })} />}
      {call.codec && <Sound call={call} />}
      {active && dialling && <Keypad call={call.id} label={t("digits_who", { party: who })} />}
    </li>
  );
}

export function Direction({ direction }: { direction: string }) {
  const words = t(direction === "incoming" ? "direction_incoming" : "direction_outgoing");
  return (
    <span class="calls-direction" data-direction={direction} title={words}>
      <span aria-hidden="true">{direction === "incoming" ? "↘" : "↗"}</span>
      <span class="hidden">{words}</span>
    </span>
  );
}

/** The verdict, its cause and what may help; the figures behind it on demand. */
export function Sound({ call }: { call: Call }) {
  const { audio } = call;
  const running = call.state === "active" || call.state === "pin";
  const verdict = audio?.verdict ?? "not_yet";
  const spoken = useMemo(() => [verdictWords(verdict), told(audio?.words ?? ""), told(audio?.advice ?? "")].filter(Boolean).join(". "), [verdict]); // its figures change all the time
  const figures = audio ? figuresOf(call, audio) : { [t("received")]: packets(call.packets_received, call.packets_lost) };
  return (
    <>
      <p class="hidden" role="status">{audio && spoken}</p>
      <details class="calls-sound" data-verdict={verdict}>
        <summary>
          <Badge dot tone={toneOf(verdict)}>{audio || running ? verdictWords(verdict) : t("not_answered")}</Badge>
          {typeof audio?.mos === "number" && <span title={t("mos_hint")}>{t("mos", { score: fixed(audio.mos) })}</span>}
          <small>{[codecName(call.codec), audio?.encryption ? t("encrypted") : ""].filter(Boolean).join(" · ")}</small>
          <span class="calls-words">
            {audio?.words && <span>{told(audio.words)}</span>} {audio?.advice && <em>{told(audio.advice)}</em>}
          </span>
        </summary>
        <dl class="calls-figures">
          {Object.entries(figures).map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </details>
    </>
  );
}

const milliseconds = (value: number, digits = 0): string => `${fixed(value, digits)} ms`;

function figuresOf(call: Call, audio: CallAudio): Record<string, string> {
  const figures: Record<string, string> = {
    [t("received")]: packets(call.packets_received, call.packets_lost),
    [t("lately")]: t("lately_words", { lost: percent(audio.loss ?? 0), late: percent(audio.discard ?? 0) }),
    [t("jitter")]: milliseconds(audio.jitter_ms ?? call.jitter_ms, 1),
  };
  if (audio.burst_density) figures[t("bursts")] = t("bursts_words", { share: percent(audio.burst_density), ms: milliseconds(audio.burst_ms ?? 0) });
  const answers = typeof audio.round_trip_ms === "number";
  if (answers) figures[t("round_trip")] = milliseconds(audio.round_trip_ms!);
  figures[t("sent")] = t("packets", { n: audio.sent ?? 0 });
  const remote = typeof audio.remote_mos === "number" ? t("mos", { score: fixed(audio.remote_mos) }) : "";
  if (answers || remote) figures[t("other_side")] = [t("other_side_lost", { share: percent(audio.remote_loss ?? 0) }), remote].filter(Boolean).join(", ");
  if (audio.source) figures[t("media_with")] = audio.source;
  if (audio.way) figures[t("way")] = audio.way;
  if (audio.encryption) figures[t("encryption")] = audio.encryption;
  return figures;
}

export function packets(received: number, lost: number): string {
  const share = percent(lost / Math.max(1, received + lost));
  return `${t("packets", { n: received })}, ${lost ? t("lost", { n: number(lost), share }) : t("none_lost")}`;
}

// The SIP messages of a call as a sequence diagram: a lane for the device and one for each peer.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { get, Problem } from "../../api";
import { Button, Loading, Notice } from "../../ui/basics";
import { clock, fixed } from "../../words";
import { t } from "./words";

/** One message as it was on the wire, but for what is secret (GET /ladder/<call>). */
export interface Message {
  at: string; // RFC 3339
  seconds: number; // since the first
  sent: boolean;
  transport: string;
  local: string;
  remote: string;
  first_line: string;
  text: string;
  cut: boolean; // there was more of it than is kept
}

interface Told {
  skipped: number; // messages in the middle that were not kept
  messages: Message[];
}

const SHOWN = 200; // messages in the page
const LANES = 5; // peers that get a lane of their own; further ones share the last
const LANE_MIN = 220; // units of the drawing between two lanes
const LANE_MAX = 560;
const MARGIN = 90;
const ROW = 40;
const CHARACTER = 7.3; // units that one takes above an arrow

export function Ladder({ call }: { call: string }) {
  const [told, take] = useState<Told | null>(null);
  const [problem, complain] = useState("");
  useEffect(() => {
    let wanted = true;
    get<Told>(`/ladder/${encodeURIComponent(call)}`).then(
      (answer) => wanted && take(answer),
      (error: unknown) => {
        if (!(error instanceof Problem)) throw error;
        if (!wanted) return;
        if (error.status === 404) take({ skipped: 0, messages: [] });
        else complain(error.message);
      },
    );
    return () => {
      wanted = false;
    };
  }, [call]);
  if (problem) return <Notice tone="bad">{problem}</Notice>;
  if (told === null) return <Loading />;
  if (!told.messages.length) return <p class="hint">{t("ladder_none")}</p>;
  return <Diagram {...told} />;
}

function Diagram({ messages, skipped }: Told) {
  const lanes = [t("ladder_us"), ...[...new Set(messages.map(({ remote }) => remote))].slice(0, LANES)];
  const laneOf = ({ remote }: Message): number => {
    const lane = lanes.indexOf(remote, 1);
    return lane > 0 ? lane : lanes.length - 1;
  };
  const place = useRef<HTMLDivElement>(null);
  const [room, measure] = useState(0);
  useLayoutEffect(() => {
    measure(place.current!.clientWidth);
    place.current!.scrollIntoView({ block: "nearest" });
  }, []);
  const lane = Math.min(LANE_MAX, Math.max(LANE_MIN, (room - 2 * MARGIN) / (lanes.length - 1)));
  const width = 2 * MARGIN + (lanes.length - 1) * lane;
  const x = (number: number): number => MARGIN + number * lane;
  return (
    <>
      <div class="calls-ladder-head">
        <p class="hint">{t("ladder_hint")}</p>
        <Button small icon="download" onClick={() => save(messages)}>{t("ladder_save")}</Button>
      </div>
      <div class="calls-ladder" ref={place} role="region" aria-label={t("ladder")} tabIndex={0}>
        <svg class="calls-lanes" width={width} height={28} viewBox={`0 0 ${width} 28`} aria-hidden="true">
          {lanes.map((name, n) => (
            <text key={name} x={x(n)} y={18} text-anchor="middle">{name}</text>
          ))}
        </svg>
        <ol>
          {messages.slice(0, SHOWN).map((message, n) => (
            <Row key={n} message={message} from={message.sent ? 0 : laneOf(message)} to={message.sent ? laneOf(message) : 0} lanes={lanes} width={width} x={x} />
          ))}
        </ol>
      </div>
      {skipped > 0 && <p class="hint">{t("ladder_skipped", { n: skipped })}</p>}
      {messages.length > SHOWN && <p class="hint">{t("ladder_more", { n: messages.length - SHOWN })}</p>}
    </>
  );
}

function Row({ message, from, to, lanes, width, x }: { message: Message; from: number; to: number; lanes: string[]; width: number; x: (lane: number) => number }) {
  const [open, show] = useState(false);
  const line = lineOf(message);
  const rightward = to > from;
  const middle = (x(from) + x(to)) / 2;
  const tip = x(to) + (rightward ? -7 : 7);
  const longest = Math.floor((Math.abs(x(to) - x(from)) - 16) / CHARACTER);
  const short = line.length > longest ? `${line.slice(0, longest - 1)}…` : line;
  return (
    <li class="calls-message" data-failure={/^(?!401|407)[4-6]\d\d\b/.test(line) ? "" : undefined}>
      <button type="button" aria-expanded={open} onClick={() => show(!open)}>
        <span class="hidden">{t("ladder_message", { time: clock(message.at), from: lanes[from]!, to: lanes[to]!, line })}</span>
        <svg width={width} height={ROW} viewBox={`0 0 ${width} ${ROW}`} aria-hidden="true">
          {lanes.map((_, n) => (
            <line key={n} class="calls-lane" x1={x(n)} y1={0} x2={x(n)} y2={ROW} />
          ))}
          <text class="calls-at" x={x(0) - 10} y={ROW - 6} text-anchor="end">{message.seconds === 0 ? clock(message.at) : t("ladder_after", { time: fixed(message.seconds, 3) })}</text>
          <text x={middle} y={ROW - 16} text-anchor="middle">{short}</text>
          <line class="calls-arrow" x1={x(from)} y1={ROW - 10} x2={tip} y2={ROW - 10} />
          <path class="calls-tip" d={`M${x(to)} ${ROW - 10}L${tip} ${ROW - 14}v8z`} />
        </svg>
      </button>
      {open && <pre tabIndex={0}>{message.text}{message.cut && "\n…"}</pre>}
    </li>
  );
}

/** All of them as they were, for somebody who is asked for help. */
function save(messages: readonly Message[]): void {
  const text = messages.map(({ at, sent, transport, local, remote, text }) => `${at} ${transport} ${local} ${sent ? "->" : "<-"} ${remote}\n${text}\n\n`).join("");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  link.download = "sip-messages.txt";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** What a message is, in few words: "INVITE + SDP", "200 OK (INVITE) + SDP". */
export function lineOf({ first_line: first, text }: Message): string {
  const sdp = /^(content-type|c)\s*:\s*application\/sdp/im.test(text) ? " + SDP" : "";
  const answer = /^SIP\/2\.0 (\d{3}.*)$/.exec(first);
  if (answer === null) return `${first.split(" ", 1)[0]}${sdp}`;
  const method = /^cseq\s*:\s*\d+\s+(\S+)/im.exec(text)?.[1];
  return `${answer[1]!.trim()}${method ? ` (${method})` : ""}${sdp}`;
}

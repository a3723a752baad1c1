// A call that is placed to see whether calls work: its states and how it is heard, as they come (SAC-15).

import { useEffect, useState } from "preact/hooks";
import { get } from "../../api";
import { deviceNow, status } from "../../live";
import { can } from "../../session";
import { Badge, Card, Notice, type Tone } from "../../ui";
import { fixed, told } from "../../words";
import { RunningCall, toneOf } from "../calls/call";
import "../calls/calls.css";
import { party, reasonWords, stateWords, verdictWords, type Past, type PastCalls } from "../calls/model";
import { PlaceCall } from "../calls/place";
import { portOf } from "./model";
import { t } from "./words";

const READ = 20; // of the newest records, among which the call is looked for
const SETTLED = 500; // milliseconds from one look for its record to the next
const LOOKS = 6; // for it
const KNOWN = 0.5; // seconds after which a call that is not told of is over

export function TestCall({ account = "" }: { account?: string }) {
  const operator = can("operator");
  const off = portOf(status.value?.listening ?? []) === null;
  return (
    <Card title={t("tab_test")} class="sip-test">
      <p class="hint">{t("test_lead")}</p>
      {off && <Notice tone="fair">{t("test_off")}</Notice>}
      {operator && !off && <Trial account={account} />}
    </Card>
  );
}

/** The form, and the call that was placed last. */
export function Trial({ account = "" }: { account?: string }) {
  const [placed, place] = useState<{ id: string; to: string } | null>(null);
  return (
    <>
      <PlaceCall account={account} onCall={(id, to) => place({ id, to })} />
      {placed && <Followed key={placed.id} {...placed} />}
    </>
  );
}

function Followed({ id, to }: { id: string; to: string }) {
  const call = status.value?.calls.find((one) => one.id === id);
  const [placed] = useState(deviceNow);
  const [record, keep] = useState<Past | null>(null);
  const over = call === undefined && (status.value?.now ?? 0) > placed + KNOWN;
  useEffect(() => {
    if (!over) return undefined;
    let wanted = true;
    void recordOf(id).then((found) => wanted && keep(found));
    return () => {
      wanted = false;
    };
  }, [over, id]);
  if (call) {
    return (
      <>
        <p class="hidden" role="status">{stateWords(call.state)}</p>
        <ul class="calls-list">
          <RunningCall call={call} />
        </ul>
      </>
    );
  }
  if (!over) return null;
  return (
    <Notice tone={record?.answered ? (toneOf(record.verdict ?? "") as Tone) : "fair"} live title={t("test_over")}>
      {record && (record.answered ? <Heard record={record} /> : t("test_refused", { party: party(to), words: record.words || reasonWords(record.reason) }))}
    </Notice>
  );
}

function Heard({ record }: { record: Past }) {
  const verdict = record.verdict ?? "not_yet";
  return (
    <>
      <Badge dot tone={toneOf(verdict)}>{verdictWords(verdict)}</Badge> {[told(record.cause ?? ""), record.codec, record.mos !== null && `MOS ${fixed(record.mos)}`].filter(Boolean).join(" · ")}
    </>
  );
}

/** What the history says of a call, once it is written. */
async function recordOf(call: string): Promise<Past | null> {
  for (let look = 0; look < LOOKS; look += 1) {
    await new Promise((done) => setTimeout(done, SETTLED));
    const told = await get<PastCalls>(`/history/calls?limit=${READ}`).catch(() => null);
    const found = told?.calls.find((one) => one.call === call && one.ended !== null);
    if (found) return found;
  }
  return null;
}

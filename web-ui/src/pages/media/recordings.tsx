// What was recorded: of the speaker, the microphone or a call.

import { useEffect, useState } from "preact/hooks";
import { command, del } from "../../api";
import { status } from "../../live";
import { Button, Card, Empty, IconButton, join } from "../../ui/basics";
import { confirm } from "../../ui/dialog";
import { Form, Select } from "../../ui/fields";
import { Time } from "../../ui/things";
import { attempt } from "../../ui/toast";
import { bytes, party, seconds, when } from "../../words";
import { useTold } from "../system/told";
import type { Recording } from "./model";
import { Quota } from "./quota";
import { t } from "./words";

const SOURCES: Record<string, "sourceSpeaker" | "sourceMicrophone" | "sourceCall"> = { speaker: "sourceSpeaker", microphone: "sourceMicrophone", call: "sourceCall" };
const sourceWords = (source: string): string => (SOURCES[source] ? t(SOURCES[source]) : source);

export function Recordings({ quotaMb }: { quotaMb: number }) {
  const { value, reload: read } = useTold<{ recordings: Recording[] }>("/recordings", { events: ["sound/recording"] });
  const recordings = value?.recordings ?? null;
  const running = (status.value?.recordings ?? []) as unknown as { recording: string; seconds: number }[];
  const names = running.map(({ recording }) => recording).join(" ");
  useEffect(() => void read(), [names]);
  const all = recordings ?? [];
  return (
    <Card title={t("recordings")} class="media-recordings">
      <Begin />
      {recordings !== null && all.length === 0 && <Empty icon="mic" title={t("noRecordings")}>{t("recordHint")}</Empty>}
      <ul>
        {all.map((one) => <Row key={one.name} recording={one} soFar={running.find(({ recording }) => recording === one.name)?.seconds} read={read} />)}
      </ul>
      <Quota label={t("spaceRecordings")} used={all.reduce((sum, { size }) => sum + size, 0)} limit={1e6 * quotaMb} />
    </Card>
  );
}

/** What can be recorded: the speaker, the microphone, and each call that is active. */
function Begin() {
  const [chosen, choose] = useState("speaker");
  const calls = (status.value?.calls ?? []).filter(({ state }) => state === "active");
  const choices = [
    { value: "speaker", label: t("speaker") },
    { value: "microphone", label: t("microphone") },
    ...calls.map(({ id, remote_uri }) => ({ value: `call ${id}`, label: t("callWith", { party: party(remote_uri) }) })),
  ];
  const known = choices.some(({ value }) => value === chosen) ? chosen : "speaker";
  const begin = (): void => {
    const [source, call] = known.split(" ");
    void attempt(() => command("start-recording", call ? { source, call } : { source }));
  };
  return (
    <Form onSubmit={begin} class="media-begin">
      <Select label={t("what")} value={known} onChange={choose} choices={choices} />
      <Button type="submit" icon="mic">{t("record")}</Button>
    </Form>
  );
}

function Row({ recording, soFar, read }: { recording: Recording; soFar: number | undefined; read: () => Promise<void> }) {
  const { name, source, began, seconds: length, size, active } = recording;
  const path = `/recordings/${encodeURIComponent(name)}`;
  const remove = async (): Promise<void> => {
    const sure = await confirm({ title: t("removeRecording", { when: when(began) }), words: t("removeRecordingWords"), action: t("remove"), danger: true });
    if (sure && (await attempt(() => del(path)))) await read();
  };
  const told = [sourceWords(source), active && soFar !== undefined ? t("soFar", { length: seconds(soFar) }) : seconds(length), bytes(size)];
  return (
    <li class={join(active && "media-active")} title={name}>
      <div class="media-what">
        <strong><Time wall={began} /></strong>
        <small>{told.join(" · ")}</small>
      </div>
      {active ? (
        <Button small icon="stop" onClick={() => void attempt(() => command("stop-recording", { recording: name }))}>{t("end")}</Button>
      ) : (
        <>
          <a class="button button-plain button-small" href={`/api/v1${path}`} download="">{t("download")}</a>
          <IconButton small icon="trash" label={t("removeRecording", { when: when(began) })} onClick={() => void remove()} />
        </>
      )}
    </li>
  );
}

// A clip that is said to a group from here, and the pages that callers have left.

import { useEffect, useState } from "preact/hooks";
import { command, get, Problem } from "../../api";
import { status } from "../../live";
import { can } from "../../session";
import { Badge, Button, Card } from "../../ui/basics";
import { Form, NumberField, Select, TextField } from "../../ui/fields";
import { attempt, toast } from "../../ui/toast";
import { party } from "../../words";
import { groupOf, type Heard, type PageOut } from "./model";
import { t } from "./words";

const FIRST_PORT = 1024; // GAP-17
const LAST_PORT = 65534;
const STANDARD_PORT = 5004; // RFC 3551 §8
const TIMES = [{ repeat: 0, key: "out_once" }, { repeat: 1, key: "out_twice" }, { repeat: 2, key: "out_three" }, { repeat: null, key: "out_on" }] as const;

/** groups: those of the sources, to choose from. */
export function PageOutCard({ groups }: { groups: readonly string[] }) {
  const clips = useClips();
  const [clip, choose] = useState("");
  const [address, write] = useState("");
  const [port, dial] = useState<number | null>(STANDARD_PORT);
  const [repeat, often] = useState<number | null>(0);
  const [wrong, complain] = useState<Problem | null>(null);
  const going = ((status.value?.multicast as unknown as Heard | undefined)?.pages_out ?? []).filter(({ state }) => state !== "idle");
  const say = async (): Promise<void> => {
    try {
      await command("page-out", { clip: clip || clips?.[0], address: address.trim(), port, repeat });
      complain(null);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      complain(problem);
    }
  };
  const error = (name: string): string | undefined => (fieldOf(wrong) === name ? wrong?.message : undefined);
  return (
    <Card title={t("out")} class="paging-out">
      <p class="hint">{t("out_hint")}</p>
      {going.length > 0 && (
        <ul class="paging-going" aria-label={t("out_running")} aria-live="polite">
          {going.map((page) => (
            <Going key={page.page} page={page} />
          ))}
        </ul>
      )}
      {can("operator") && (clips?.length === 0 ? (
        <p class="hint">{t("out_no_clip")}</p>
      ) : (
        <Form label={t("out")} class="paging-form" onSubmit={() => void say()}>
          <Select label={t("out_clip")} value={clip || (clips?.[0] ?? "")} onChange={choose} choices={clips ?? []} error={error("clip")} />
          <TextField label={t("out_address")} value={address} onChange={write} list={[...new Set(groups)]} placeholder="239.1.1.1" required maxLength={45} error={error("address")} />
          <NumberField label={t("out_port")} value={port} onChange={dial} min={FIRST_PORT} max={LAST_PORT} step={1} error={error("port")} />
          <Select label={t("out_times")} value={repeat} onChange={often} choices={TIMES.map(({ repeat: value, key }) => ({ value, label: t(key) }))} />
          <Button type="submit" icon="paging">{t("out_say")}</Button>
          {going.length > 1 && (
            <Button icon="stop" onClick={() => void attempt(() => command("stop-page-out"))}>{t("out_stop_all")}</Button>
          )}
        </Form>
      ))}
    </Card>
  );
}

/** The field at fault, by the code of the refusal; "address" for what concerns the whole. */
function fieldOf(wrong: Problem | null): string {
  if (wrong === null) return "";
  if (wrong.code === "unknown_clip" || wrong.code === "clip_missing" || wrong.field === "clip") return "clip";
  return wrong.code === "port" || wrong.field === "port" ? "port" : "address";
}

function useClips(): string[] | null {
  const [clips, keep] = useState<string[] | null>(null);
  useEffect(() => {
    get<{ clips: { name: string }[] }>("/clips").then(
      (told) => keep(told.clips.map(({ name }) => name)),
      (error: unknown) => {
        if (!(error instanceof Problem)) throw error;
        toast(error.message, "bad");
      },
    );
  }, []);
  return clips;
}

function Going({ page }: { page: PageOut }) {
  const group = groupOf(page);
  return (
    <li>
      <span>
        <strong>{t("out_state", { clip: page.clip, group })}</strong>
        <small aria-live="off">{[page.problem, page.packets > 0 && t("relay_packets", { n: page.packets })].filter(Boolean).join(" · ")}</small>
      </span>
      <Badge dot tone={page.state === "speaking" ? "good" : page.problem ? "bad" : "fair"}>{t(page.state === "speaking" ? "out_speaking" : "out_waiting")}</Badge>
      {can("operator") && (
        <Button small icon="stop" aria-label={t("out_stop_who", { clip: page.clip, group })} onClick={() => void attempt(() => command("stop-page-out", { page: page.page }))}>
          {t("out_stop")}
        </Button>
      )}
    </li>
  );
}

/** What callers leave at extensions that record first and play then; nothing while there is none. */
export function Recorded() {
  const told = status.value;
  const { recording = [], waiting = [], playing = "" } = (told?.pages ?? {}) as { recording?: string[]; waiting?: string[]; playing?: string };
  if (told === null || (!recording.length && !waiting.length && !playing)) return null;
  const who = (id: string): string => party(told.calls.find((call) => call.id === id)?.remote_uri ?? id);
  return (
    <Card title={t("recorded")} class="paging-recorded">
      <p class="hint">{t("recorded_hint")}</p>
      <ul aria-live="polite">
        {recording.map((id) => (
          <li key={id}><Badge dot tone="accent">{t("recorded_recording")}</Badge> {who(id)}</li>
        ))}
        {playing && <li><Badge dot tone="good">{t("recorded_playing")}</Badge> {who(playing)}</li>}
        {waiting.length > 0 && <li>{t("recorded_waiting", { n: waiting.length })}</li>}
      </ul>
      {can("operator") && <Button icon="stop" onClick={() => void attempt(() => command("stop-pages"))}>{t("recorded_stop")}</Button>}
    </Card>
  );
}

// Clips and recordings (CLP-01…08, MED-01, MED-02, AUD-05).

import { useEffect, useMemo, useState } from "preact/hooks";
import { command, get } from "../../api";
import { concerns, newestEvents } from "../../live";
import { can } from "../../session";
import { useSection, type Section } from "../../settings";
import { Button, Card, Empty, Loading, PageHead } from "../../ui/basics";
import { ConflictNotice } from "../../ui/conflict";
import { TextField } from "../../ui/fields";
import { SchemaForm } from "../../ui/schema_form";
import { attempt } from "../../ui/toast";
import { differing } from "../audio/model";
import { ClipRow } from "./clip";
import type { Clip, MediaSettings, Told } from "./model";
import { Quota } from "./quota";
import { Recordings } from "./recordings";
import { Uploads } from "./uploads";
import { t } from "./words";
import "../audio/words"; // how the device calls its settings, in German
import "./media.css";

const OURS = ["normalise_clips", "clip_loudness", "clip_quota_mb", "recording_quota_mb", "record_continuously"];
const MANY = 12; // clips from which on they can be searched
const SHOWN_MAX = 200;

export default function Media() {
  const section = useSection<MediaSettings>("audio");
  const [told, read] = useClips();
  if (!section.value || !told) return <Loading />;
  const names = new Set(told.clips.map(({ name }) => name));
  return (
    <div class="media">
      <PageHead title={t("title")} />
      <ConflictNotice section={section} onTheirs={() => undefined} />
      <div class="media-grid">
        <List clips={told.clips} levelled={section.value.normalise_clips} read={read} />
        <div>
          <Card title={t("add")}>
            {can("operator") && <Uploads accepted={told.accepted} names={names} added={read} />}
            <Quota label={t("spaceClips")} used={told.used_bytes} limit={told.quota_bytes} />
          </Card>
          <SpaceAndLoudness section={section} />
          {can("operator") && <Recordings quotaMb={section.value.recording_quota_mb} />}
        </div>
      </div>
    </div>
  );
}

/** The clips as the device has them, and what reads them anew. */
function useClips(): [Told | null, () => Promise<void>] {
  const [told, tell] = useState<Told | null>(null);
  const read = useMemo(() => async () => tell(await get<Told>("/clips")), []);
  const fresh = newestEvents.value;
  useEffect(() => void read().catch(() => undefined), [read]);
  useEffect(() => {
    const links = fresh.map(({ chain }) => chain[0]!);
    if (links.some((link) => link.name === "sound/clip" || concerns(link, "/clips"))) void read().catch(() => undefined);
  }, [fresh]);
  return [told, read];
}

function List({ clips, levelled, read }: { clips: readonly Clip[]; levelled: boolean; read: () => Promise<void> }) {
  const [wanted, search] = useState("");
  const found = clips.filter(({ name }) => name.toLowerCase().includes(wanted.trim().toLowerCase()));
  return (
    <Card title={t("clips")} class="media-clips" actions={can("operator") && clips.some(({ playing }) => playing) && <Button small icon="stop" onClick={() => void attempt(() => command("stop-clip"))}>{t("stopAll")}</Button>}>
      {clips.length >= MANY && <TextField label={t("search")} type="search" value={wanted} onChange={search} />}
      {clips.length === 0 && <Empty icon="media" title={t("none")}>{t("noneHint")}</Empty>}
      <ul>
        {found.slice(0, SHOWN_MAX).map((clip) => <ClipRow key={clip.number} clip={clip} clips={clips} levelled={levelled} changed={read} />)}
      </ul>
      {wanted && <p class="hint" role="status">{t("found", { n: found.length })}</p>}
    </Card>
  );
}

function SpaceAndLoudness({ section }: { section: Section<MediaSettings> }) {
  const [draft, write] = useState<Record<string, unknown> | null>(null);
  const hide = Object.keys(section.schema.properties ?? section.value ?? {}).filter((name) => !OURS.includes(name)).map((name) => `/${name}`);
  const save = async (): Promise<void> => {
    if (await section.save(differing(section.value!, draft!))) write(null);
  };
  return (
    <Card title={t("settings")}>
      <SchemaForm
        schema={section.schema}
        value={{ ...section.value, ...draft }}
        onChange={(next: Record<string, unknown>) => write(Object.fromEntries(OURS.map((name) => [name, next[name]])))}
        base="/audio"
        problems={section.problems}
        hide={hide}
        readOnly={(path) => !section.may(path)}
      />
      {draft && (
        <div class="buttons">
          <Button onClick={() => write(null)}>{t("discard")}</Button>
          <Button kind="primary" onClick={() => void save()}>{t("save")}</Button>
        </div>
      )}
    </Card>
  );
}

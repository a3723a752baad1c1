// Clips and recordings (CLP-01…08, MED-01, MED-02, AUD-05).

import { useEffect, useState } from "preact/hooks";
import { command } from "../../api";
import { newestEvents } from "../../live";
import { can } from "../../session";
import { changes, merged, useSection, type Section } from "../../settings";
import { Button, Card, Empty, Loading, PageHead } from "../../ui/basics";
import { useDraft } from "../../ui/draft";
import { TextField } from "../../ui/fields";
import { SchemaForm } from "../../ui/schema_form";
import { attempt } from "../../ui/toast";
import { useTold } from "../system/told";
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
  const { value, reload } = useTold<Told>("/clips", { settings: ["/clips"] });
  const fresh = newestEvents.value;
  useEffect(() => {
    if (fresh.some(({ chain }) => chain[0]!.name === "sound/clip")) void reload();
  }, [fresh]);
  return [value, reload];
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
  const draft = useDraft(section);
  const stored = section.value!;
  const hide = Object.keys(section.schema.properties ?? section.value ?? {}).filter((name) => !OURS.includes(name)).map((name) => `/${name}`);
  return (
    <Card title={t("settings")}>
      {draft.notice}
      <SchemaForm
        schema={section.schema}
        value={merged(stored, draft.value)}
        onChange={(next: MediaSettings) => draft.write(changes(stored, next))}
        base="/audio"
        problems={section.problems}
        hide={hide}
        readOnly={(path) => !section.may(path)}
      />
      {draft.dirty && (
        <div class="buttons">
          <Button onClick={draft.forget}>{t("discard")}</Button>
          <Button kind="primary" onClick={() => void draft.save()}>{t("save")}</Button>
        </div>
      )}
    </Card>
  );
}

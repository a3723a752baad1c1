// The sound: how loud, who is heard with whom, what sounds, how long it waits, and what was heard.

import { useEffect, useState } from "preact/hooks";
import { get } from "../../api";
import { look } from "../../live";
import { changes, merged, useSection, type Section } from "../../settings";
import { Button, Card, Loading, PageHead } from "../../ui/basics";
import { useDraft } from "../../ui/draft";
import { SchemaForm } from "../../ui/schema_form";
import { Delays, History } from "./history";
import { Microphone } from "./microphone";
import { type AudioSettings, type MixRule } from "./model";
import { Policy } from "./policy";
import { Now, Speaker, SpeakerTest, whose } from "./speaker";
import { t } from "./words";
import "./audio.css";

/** Set elsewhere on this page, or on that of the media. */
const ELSEWHERE = ["/volume_db", "/muted", "/volumes", "/policy", "/emergency", "/microphone", "/normalise_clips", "/clip_loudness", "/clip_quota_mb", "/recording_quota_mb", "/record_continuously"];

export default function Audio() {
  const section = useSection<AudioSettings>("audio");
  const [standard, tell] = useState<MixRule[]>([]);
  useEffect(() => look("sound"), []);
  useEffect(() => void get<{ policy: MixRule[] }>("/sound/policy").then((told) => tell(told.policy), () => undefined), []);
  if (!section.value) return <Loading />;
  return (
    <div class="audio">
      <PageHead title={t("title")} />
      <div class="audio-grid">
        <div>
          <Speaker section={section} />
          <Output section={section} />
          <Microphone section={section} />
        </div>
        <div>
          <Now />
          {standard.length > 0 && <Policy own={section.value.policy} standard={standard} store={(policy) => void section.save({ policy })} />}
          <Delays />
          <SpeakerTest />
          <History whose={whose} />
        </div>
      </div>
    </div>
  );
}

function Output({ section }: { section: Section<AudioSettings> }) {
  const draft = useDraft(section);
  const stored = section.value!;
  return (
    <Card title={t("outputAndDelay")} class="audio-output">
      {draft.notice}
      <SchemaForm
        schema={section.schema}
        value={merged(stored, draft.value)}
        onChange={(next: AudioSettings) => draft.write(changes(stored, next))}
        base="/audio"
        problems={section.problems}
        hide={ELSEWHERE}
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

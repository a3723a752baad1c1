// The microphone: what it hears, its settings, and its sound in the browser.

import { useEffect, useRef, useState } from "preact/hooks";
import { sounding, status } from "../../live";
import { can } from "../../session";
import { changes, merged, type Patched, type Section } from "../../settings";
import { Button, Card } from "../../ui/basics";
import { useDraft } from "../../ui/draft";
import { SchemaForm } from "../../ui/schema_form";
import { Meter } from "../../ui/things";
import { toast } from "../../ui/toast";
import type { AudioSettings } from "./model";
import { t } from "./words";

interface State {
  input: string;
  name: string;
  allowed: boolean;
  muted: boolean;
  problem: string;
  open: boolean;
  level_db: number;
  echo: string;
}

export function Microphone({ section }: { section: Section<AudioSettings> }) {
  const now = (sounding.value?.microphone ?? status.value?.microphone) as unknown as State | undefined;
  if (!now || !section.value) return null;
  const words = !now.allowed ? t("micNotAllowed") : !now.input ? t("micOff") : now.problem || (now.muted ? t("micMuted") : now.open ? t("micHears", { name: now.name }) : t("micWaits"));
  return (
    <Card title={t("microphone")} class="audio-microphone" actions={can("operator") && <Listen disabled={!now.allowed || !now.input} />}>
      <Meter value={now.level_db} label={t("micLevel")} />
      <p class={now.problem ? "audio-broken" : "hint"} role="status">{words}</p>
      {now.echo === "half_duplex" && <p class="hint">{t("halfDuplex")}</p>}
      <Part section={section} name="microphone" brief={["/input", "/muted", "/gain_db"]} />
    </Card>
  );
}

type Values = AudioSettings["microphone"];

/** A part of the settings as a form that is stored when something of it was changed. */
export function Part({ section, name, brief }: { section: Section<AudioSettings>; name: "microphone"; brief: string[] }) {
  const values: Values = section.value![name];
  const draft = useDraft<AudioSettings, Patched<Values>>(section, (entered) => ({ [name]: entered }));
  const schema = section.schema.$defs?.Microphone ?? {};
  return (
    <>
      {draft.notice}
      <SchemaForm schema={schema} root={section.schema} value={merged(values, draft.value)} onChange={(next: Values) => draft.write(changes(values, next))} base={`/audio/${name}`} problems={section.problems} brief={brief} readOnly={(path) => !section.may(`/${name}${path}`)} />
      {draft.dirty && (
        <div class="buttons">
          <Button onClick={draft.forget}>{t("discard")}</Button>
          <Button kind="primary" onClick={() => void draft.save()}>{t("save")}</Button>
        </div>
      )}
    </>
  );
}

/** Its sound in the browser: nothing is heard before somebody asks, nor after the page is left. */
function Listen({ disabled }: { disabled: boolean }) {
  const [on, turn] = useState(false);
  const heard = useRef<HTMLAudioElement | null>(null);
  const deafen = (): void => {
    const ended = heard.current;
    heard.current = null;
    ended?.pause();
    ended?.removeAttribute("src");
    ended?.load(); // ends the request
    turn(false);
  };
  useEffect(() => deafen, []);
  const hear = (): void => {
    const audio = new Audio(`/api/v1/microphone/listen?at=${Date.now()}`);
    heard.current = audio;
    audio.addEventListener("error", () => {
      if (heard.current !== audio) return;
      deafen();
      toast(t("notHeard"), "bad");
    });
    audio.play().catch(() => undefined); // an error is told of as well
    turn(true);
  };
  return (
    <Button small icon="audio" disabled={disabled} aria-pressed={on} onClick={on ? deafen : hear}>
      {on ? t("stopListening") : t("listen")}
    </Button>
  );
}

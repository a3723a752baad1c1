// What a profile will look and sound like: in this browser, and on the device (PRF-07).

import { useEffect, useRef, useState } from "preact/hooks";
import { del, get, post } from "../../api";
import { status } from "../../live";
import { Button, Notice } from "../../ui/basics";
import { patternWords } from "../../ui/pattern_words";
import { Risks } from "../../ui/risk";
import { SeizureWarning, Strobe } from "../../ui/strobe";
import { attempt } from "../../ui/toast";
import { told } from "../../words";
import { animationPath, stored, type Animation, type Draft, type Light } from "./model";
import { t } from "./words";

const SECONDS = 60; // that the device shows it at most

/** The frames of a light, as the device would show it; null while they are not known. */
function useAnimation(light: Light | null | undefined): Animation | null {
  const [animation, show] = useState<Animation | null>(null);
  const path = light ? animationPath(light) : "";
  useEffect(() => {
    if (!path) return show(null);
    const given = new AbortController();
    get<Animation>(path, { signal: given.signal }).then(show, () => undefined);
    return () => given.abort();
  }, [path]);
  return path ? animation : null;
}

export function Preview({ draft }: { draft: Draft }) {
  const animation = useAnimation(draft.light);
  const light = draft.light;
  return (
    <section class="profiles-preview" aria-labelledby="profiles-preview-title">
      <h3 id="profiles-preview-title">{t("preview")}</h3>
      {light && (
        <>
          <div class="profiles-drawing">
            <Strobe label={t("drawing", { pattern: patternWords(light.pattern), colors: light.colors.map(told).join(", ") })} preview={animation ?? undefined} light={light.function ?? "SignalingLED"} still={animation === null} />
          </div>
          {animation && <Risks risks={animation.warnings} />}
          <SeizureWarning />
        </>
      )}
      <OnDevice draft={draft} />
    </section>
  );
}

type Part = "light" | "siren";

interface Tried {
  functions: { function: string; shown: boolean; words: string; seconds_left: number }[];
}

function OnDevice({ draft }: { draft: Draft }) {
  const [tried, tell] = useState<Tried | null>(null);
  useEffect(() => {
    if (!tried) return undefined;
    const over = setTimeout(() => tell(null), 1000 * Math.max(0, ...tried.functions.map((one) => one.seconds_left)));
    return () => clearTimeout(over);
  }, [tried]);
  const begun = useRef(false);
  begun.current = tried !== null;
  useEffect(() => () => void (begun.current && del("/profiles/preview").catch(() => undefined)), []);
  const stop = (): void => void attempt(() => del("/profiles/preview")).then(() => tell(null));
  const start = (...functions: Part[]): void => void attempt(async () => tell(await post<Tried>("/profiles/preview", { profile: stored({ ...draft, name: draft.name.trim() || t("preview") }), functions, seconds: SECONDS })));
  const hidden = tried?.functions.filter((one) => !one.shown) ?? [];
  return (
    <div class="profiles-device">
      <h4>{t("device")}</h4>
      <p class="hint">{t("deviceHint")}</p>
      {status.value?.maintenance.active && <Notice tone="accent">{t("maintenance")}</Notice>}
      <div class="row">
        <Button small icon="play" disabled={!draft.light || !draft.siren} onClick={() => start("light", "siren")}>{t("both")}</Button>
        <Button small icon="sun" disabled={!draft.light} onClick={() => start("light")}>{t("lightOnly")}</Button>
        <Button small icon="bell" disabled={!draft.siren} onClick={() => start("siren")}>{t("sirenOnly")}</Button>
        <Button small icon="stop" disabled={!tried} onClick={stop}>{t("stopPreview")}</Button>
      </div>
      {hidden.map((one) => <Notice key={one.function} live>{one.words}</Notice>)}
    </div>
  );
}

// One profile at a glance (PRF-12), and what can be done with it.

import { useState } from "preact/hooks";
import { command, del } from "../../api";
import { can } from "../../session";
import { Badge, Button, join } from "../../ui/basics";
import { confirm, Menu } from "../../ui/dialog";
import { Icon } from "../../ui/icon";
import { patternWords } from "../../ui/pattern_words";
import { Swatches } from "../../ui/strobe";
import { attempt } from "../../ui/toast";
import { Notice } from "../../ui/basics";
import { seconds, told } from "../../words";
import { type Duration, type Profile } from "./model";
import { Outside } from "./outside";
import { t } from "./words";

interface Props {
  profile: Profile;
  running: boolean;
  chosen: boolean;
  choose: (on: boolean) => void;
  edit: () => void;
  copy: () => void;
  changed: () => Promise<unknown>;
}

export function ProfileCard({ profile, running, chosen, choose, edit, copy, changed }: Props) {
  const { name, description, light, siren, used_by } = profile;
  const [refused, tell] = useState<string[]>([]);
  const [outside, show] = useState(false);
  const may = can("operator");
  const order = running ? "stop-profile" : "start-profile";
  const remove = async (): Promise<void> => {
    if (used_by.length) return tell(used_by);
    if (!(await confirm({ title: t("removeAsk", { name }), words: t("removeWords"), action: t("remove"), danger: true }))) return;
    if (await attempt(() => del(`/profiles/${encodeURIComponent(name)}`))) await changed();
  };
  return (
    <li class={join("card profiles-card", running && "profiles-running")} data-profile={name}>
      <header>
        <label class="check profiles-choose">
          <input type="checkbox" checked={chosen} aria-label={t("choose", { name })} onChange={(event) => choose(event.currentTarget.checked)} />
        </label>
        <h2>{name}</h2>
        {running && <Badge tone="accent" dot>{t("running")}</Badge>}
        <Menu
          label={t("more", { name })}
          icon="more"
          hideLabel
          items={[
            ...(may ? [{ label: t("edit"), icon: "edit" as const, onSelect: edit }, { label: t("copy"), icon: "copy" as const, onSelect: copy }] : []),
            { label: t("exportOne"), icon: "download" as const, onSelect: () => download([name]) },
            { label: t("outside"), icon: "link" as const, onSelect: () => show(true) },
            ...(may ? ["line" as const, { label: t("remove"), icon: "trash" as const, danger: true, onSelect: () => void remove() }] : []),
          ]}
        />
      </header>
      {description && <p class="profiles-words">{description}</p>}
      <dl>
        <Part icon="sun" title={t("light")} words={light ? [patternWords(light.pattern), light.speed ? t("speedOf", { n: light.speed }) : "", t("intensityOf", { n: light.intensity }), t("prio", { n: light.priority }), lasting(light.duration), light.function === "AudioLED" ? t("AudioLED") : ""] : [t("noLight")]} colors={light?.colors ?? []} />
        <Part icon="bell" title={t("siren")} words={siren ? [patternWords(siren.pattern), t("intensityOf", { n: siren.intensity }), t("prio", { n: siren.priority }), lasting(siren.duration)] : [t("noSiren")]} colors={[]} />
      </dl>
      {profile.warnings.length > 0 && <Badge tone="fair"><span title={profile.warnings.map(({ words }) => told(words)).join("; ")}>{t("warning")}</span></Badge>}
      {refused.length > 0 && <Notice tone="bad" live title={t("inUse", { name })}>{t("usedBy", { names: refused.join(", ") })}</Notice>}
      {may && (
        <footer>
          <Button kind={running ? "plain" : "primary"} icon={running ? "stop" : "play"} aria-label={t(running ? "stopNamed" : "startNamed", { name })} onClick={() => void attempt(() => command(order, { profile: name }))}>
            {t(running ? "stop" : "start")}
          </Button>
          <Button icon="edit" aria-label={t("editTitle", { name })} onClick={edit}>{t("edit")}</Button>
        </footer>
      )}
      {outside && <Outside name={name} onClose={() => show(false)} />}
    </li>
  );
}

function Part({ icon, title, words, colors }: { icon: "sun" | "bell"; title: string; words: string[]; colors: readonly string[] }) {
  const [first, ...rest] = words.filter(Boolean);
  return (
    <div>
      <dt><Icon name={icon} size={18} /><span class="hidden">{title}</span></dt>
      <dd>
        <strong>{first}</strong> <Swatches colors={colors} />
        <small>{rest.join(" · ")}</small>
      </dd>
    </div>
  );
}

function lasting(duration: Duration | null | undefined): string {
  if (!duration) return t("continuous");
  return duration.unit === "seconds" ? t("forSeconds", { length: seconds(duration.value) }) : t("forTimes", { n: duration.value });
}

/** Have the browser store these profiles as a file; none: all of them. */
export function download(names: readonly string[]): void {
  const query = names.map((name) => `name=${encodeURIComponent(name)}`).join("&");
  const link = document.createElement("a");
  link.href = `/api/v1/profiles/export${query && `?${query}`}`;
  link.download = "profiles.json";
  link.click();
}

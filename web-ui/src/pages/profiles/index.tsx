// Profiles: what light and siren do by one name (PRF-01…14).

import { useEffect, useState } from "preact/hooks";
import { status } from "../../live";
import type { PageProps } from "../../pages";
import { can } from "../../session";
import { Button, Empty, join, Loading } from "../../ui/basics";
import { SeizureWarning } from "../../ui/strobe";
import { useTold } from "../system/told";
import { download, ProfileCard } from "./card";
import { Editor } from "./editor";
import { Importing } from "./importing";
import { freshLight, freshSiren, stored, type Draft, type Parts, type Profile } from "./model";
import { t } from "./words";
import "./german";
import "./profiles.css";

interface Edited {
  draft: Draft;
  before: string;
}

export default function Profiles({ query }: PageProps) {
  const [profiles, parts, read] = useProfiles();
  const [edited, edit] = useState<Edited | null>(null);
  const [importing, take] = useState<{ file: File | null } | null>(null);
  const asked = query.get("import") !== null;
  useEffect(() => {
    if (asked && can("operator")) take({ file: null });
  }, [asked]);
  const [chosen, choose] = useState<ReadonlySet<string>>(new Set());
  const [over, hover] = useState(false);
  if (!profiles || !parts) return <Loading />;
  const running = new Set(status.value?.profiles.filter((one) => one.running).map(({ name }) => name));
  const names = profiles.map(({ name }) => name).filter((name) => chosen.has(name));
  const full = profiles.length >= parts.limits.profiles;
  const may = can("operator");
  const turn = (name: string, on: boolean): void => choose(new Set(on ? [...chosen, name] : [...chosen].filter((one) => one !== name)));
  const add = (): void => edit({ before: "", draft: { name: "", description: "", light: freshLight(parts), siren: freshSiren(parts) } });
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    hover(false);
    const file = event.dataTransfer?.files[0];
    if (file && may) take({ file });
  };
  return (
    <div class={join("profiles", over && "profiles-over")} onDragOver={(event) => (event.preventDefault(), hover(may))} onDragLeave={(event) => event.currentTarget.contains(event.relatedTarget as Node | null) || hover(false)} onDrop={drop}>
      <header class="page-head">
        <h1>{t("title")}</h1>
        <span class="dim">{t("count", { n: profiles.length, limit: parts.limits.profiles })}</span>
        <Button icon="download" disabled={profiles.length === 0} onClick={() => download(names)}>{names.length ? t("exportSome", { n: names.length }) : t("export")}</Button>
        {may && <Button icon="upload" onClick={() => take({ file: null })}>{t("import")}</Button>}
        {may && <Button kind="primary" icon="plus" disabled={full} title={full ? t("full", { limit: parts.limits.profiles }) : undefined} onClick={add}>{t("add")}</Button>}
        <p>{t("intro")}</p>
      </header>
      {profiles.length === 0 && <Empty icon="profiles" title={t("none")} action={may && <Button kind="primary" icon="plus" onClick={add}>{t("add")}</Button>}>{t("noneHint")}</Empty>}
      <ul class="profiles-grid">
        {profiles.map((profile) => (
          <ProfileCard
            key={profile.name}
            profile={profile}
            running={running.has(profile.name)}
            chosen={chosen.has(profile.name)}
            choose={(on) => turn(profile.name, on)}
            edit={() => edit({ before: profile.name, draft: stored(profile) })}
            copy={() => edit({ before: "", draft: { ...stored(profile), name: t("copyOf", { name: profile.name }).slice(0, parts.limits.name) } })}
            changed={read}
          />
        ))}
      </ul>
      {profiles.length > 0 && <SeizureWarning />}
      {edited && <Editor start={edited.draft} before={edited.before} parts={parts} onClose={() => edit(null)} onSaved={read} />}
      {importing && <Importing first={importing.file} onClose={() => take(null)} onDone={read} />}
    </div>
  );
}

/** The profiles and what they are made of as the device has them, and what reads them anew. */
function useProfiles(): [Profile[] | null, Parts | null, () => Promise<void>] {
  const { value: told, reload } = useTold<{ profiles: Profile[] }>("/profiles", { settings: ["/profiles", "/rules", "/extensions", "/multicast"] });
  const { value: parts } = useTold<Parts>("/patterns", { settings: ["/clips"] });
  return [told?.profiles ?? null, parts, reload];
}

// The editor of one profile.

import { useState } from "preact/hooks";
import { get, post, Problem, put } from "../../api";
import type { FieldProblem } from "../../types";
import { Button, Notice } from "../../ui/basics";
import { MineOrTheirs } from "../../ui/conflict";
import { Dialog, useLeave } from "../../ui/dialog";
import { clashesOf, merged, type Clash } from "../../ui/entry";
import { Form, TextField } from "../../ui/fields";
import { patternWords } from "../../ui/pattern_words";
import { toast } from "../../ui/toast";
import { t as uiWords } from "../../ui/words";
import { told } from "../../words";
import { stored, type Draft, type Light, type Parts, type Profile, type Siren } from "./model";
import { LightFields, problemOf, SirenFields } from "./parts";
import { Preview } from "./preview";
import { t } from "./words";

interface Props {
  start: Draft;
  before: string; // its name until now; empty: it is new
  parts: Parts;
  onClose: () => void;
  onSaved: () => Promise<unknown>;
}

const TURNS = 3; // attempts against others who store at the same moment
const KNOWN = ["/name", "/description", "/light/", "/siren/"];

export function Editor({ start, before, parts, onClose, onSaved }: Props) {
  const [base, begin] = useState<Draft>(start); // what there was when it was begun
  const [draft, write] = useState<Draft>(start);
  const [clash, meet] = useState<{ theirs: Draft; members: readonly Clash[] } | null>(null);
  const [problems, tell] = useState<readonly FieldProblem[]>([]);
  const [saving, wait] = useState(false);
  const changed = JSON.stringify(draft) !== JSON.stringify(base);
  const leave = useLeave(changed, onClose);
  const save = async (force = false): Promise<void> => {
    wait(true);
    meet(null);
    try {
      const profile = stored({ ...draft, name: draft.name.trim() });
      const answer = before ? await change(before, base, profile, force) : await post<Stored>("/profiles", profile);
      if ("theirs" in answer) return meet(answer);
      if (answer.followed.length) toast(t("saved", { names: answer.followed.join(", ") }), "good");
      await onSaved();
      onClose();
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      tell(problem.fields.map(({ path, message }) => ({ path: path && !path.startsWith("/") ? `/${path}` : path, message })));
    } finally {
      wait(false);
    }
  };
  const take = (): void => {
    begin(clash!.theirs);
    write(clash!.theirs);
    meet(null);
  };
  const homeless = problems.filter(({ path }) => !KNOWN.some((one) => path.startsWith(one)));
  return (
    <Dialog
      wide
      title={before ? t("editTitle", { name: before }) : t("newTitle")}
      onClose={leave}
      footer={
        <>
          <Button onClick={leave}>{t("cancel")}</Button>
          <Button kind="primary" busy={saving} onClick={() => document.querySelector<HTMLFormElement>(".profiles-editor")?.requestSubmit()}>{t("save")}</Button>
        </>
      }
    >
      <Form class="profiles-editor" label={before || t("newTitle")} onSubmit={() => void save()}>
        <div class="stack">
          {clash && <Meanwhile members={clash.members} onMine={() => void save(true)} onTheirs={take} />}
          {homeless.length > 0 && <Notice tone="bad" live>{homeless.map(({ path, message }) => <p key={path + message}>{message}</p>)}</Notice>}
          <TextField name="name" label={t("name")} value={draft.name} required maxLength={parts.limits.name} autoFocus={!before} error={problemOf(problems, "/name")} onChange={(name) => write({ ...draft, name })} />
          <TextField name="description" label={t("description")} value={draft.description} rows={2} maxLength={parts.limits.description} error={problemOf(problems, "/description")} onChange={(description) => write({ ...draft, description })} />
          <LightFields value={draft.light} parts={parts} problems={problems} onChange={(light) => write({ ...draft, light })} />
          <SirenFields value={draft.siren} parts={parts} problems={problems} onChange={(siren) => write({ ...draft, siren })} />
        </div>
        <Preview draft={draft} />
      </Form>
    </Dialog>
  );
}

interface Stored {
  followed: string[];
}

/** Put what was entered into the place of a profile, with what others have changed of it beside. What
 *  both have changed, unless it is forced, is told instead. Throws Problem. */
async function change(name: string, base: Draft, entered: Draft, force: boolean): Promise<Stored | { theirs: Draft; members: readonly Clash[] }> {
  for (let turn = 1; ; turn += 1) {
    const { profiles, revision } = await get<{ profiles: Profile[]; revision: number }>("/profiles");
    const found = profiles.find((one) => one.name === name);
    const theirs = found ? stored(found) : base;
    const members = force ? [] : clashesOf(base, entered, theirs);
    if (members.length) return { theirs, members };
    try {
      return await put<Stored>(`/profiles/${encodeURIComponent(name)}`, merged(base, entered, theirs), { revision });
    } catch (problem) {
      if (!(problem instanceof Problem && problem.status === 412) || turn === TURNS) throw problem;
    }
  }
}

function Meanwhile({ members, onMine, onTheirs }: { members: readonly Clash[]; onMine: () => void; onTheirs: () => void }) {
  return (
    <MineOrTheirs onMine={onMine} onTheirs={onTheirs}>
      <ul>
        {members.map(({ name, mine, theirs }) => (
          <li key={name}>{`${t(name as keyof Draft)}: ${uiWords("yours")} ${shown(mine as Member)}, ${uiWords("theirs")} ${shown(theirs as Member)}`}</li>
        ))}
      </ul>
    </MineOrTheirs>
  );
}

type Member = Light | Siren | string | null;

function shown(member: Member): string {
  if (member === null || typeof member === "string") return member || "–";
  const { pattern, colors = [], speed, intensity, priority } = member as Light;
  return [patternWords(pattern), colors.map(told).join(", "), speed ? t("speedOf", { n: speed }) : "", t("intensityOf", { n: intensity }), t("prio", { n: priority })].filter(Boolean).join(" · ");
}

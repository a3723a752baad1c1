// Profiles out of a file, in three ways (PRF-11, PRF-14).

import { useEffect, useState } from "preact/hooks";
import { Problem, ask } from "../../api";
import { status } from "../../live";
import type { FieldProblem } from "../../types";
import { Button, Notice } from "../../ui/basics";
import { confirm, Dialog } from "../../ui/dialog";
import { FileDrop } from "../../ui/things";
import { toast } from "../../ui/toast";
import { t } from "./words";

type Mode = "add" | "replace_all" | "overwrite";
const MODES: { mode: Mode; label: "modeAdd" | "modeReplace" | "modeOverwrite"; hint: "modeAddHint" | "modeReplaceHint" | "modeOverwriteHint" }[] = [
  { mode: "add", label: "modeAdd", hint: "modeAddHint" },
  { mode: "overwrite", label: "modeOverwrite", hint: "modeOverwriteHint" },
  { mode: "replace_all", label: "modeReplace", hint: "modeReplaceHint" },
];
const MAX_BYTES = 256 * 1024; // that the device takes
const SHOWN = 30; // names

interface Taken {
  added: string[];
  replaced: string[];
  warnings: { profile: string; words: string }[];
}

/** The names in a file of profiles; null: it is none. What is wrong with one of them, the device says. */
async function namesIn(file: File): Promise<string[] | null> {
  if (file.size > MAX_BYTES) return null;
  try {
    const entries: unknown = JSON.parse(await file.text());
    return Array.isArray(entries) ? entries.map((one: { name?: unknown } | null) => String(one?.name ?? "")) : null;
  } catch {
    return null;
  }
}

export function Importing({ first, onClose, onDone }: { first: File | null; onClose: () => void; onDone: () => Promise<unknown> }) {
  const [file, take] = useState<File | null>(first);
  const [names, read] = useState<string[] | null>([]);
  const [mode, choose] = useState<Mode>("add");
  const [problems, tell] = useState<readonly FieldProblem[]>([]);
  const [busy, wait] = useState(false);
  useEffect(() => {
    let here = true;
    tell([]);
    if (file) void namesIn(file).then((found) => here && read(found));
    return () => {
      here = false;
    };
  }, [file]);
  const send = async (): Promise<void> => {
    if (mode === "replace_all" && !(await confirm({ title: t("replaceAsk"), words: t("modeReplaceHint"), action: t("doImport"), danger: true }))) return;
    wait(true);
    try {
      const taken = await ask<Taken>("POST", `/profiles/import?mode=${mode}`, file!, { headers: { "Content-Type": "application/json" } });
      await onDone();
      toast(t("imported", { n: taken.added.length + taken.replaced.length }), "good");
      for (const { profile, words } of taken.warnings.slice(0, 3)) toast(`${profile}: ${words}`, "fair");
      onClose();
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      tell(problem.fields);
    } finally {
      wait(false);
    }
  };
  return (
    <Dialog
      title={t("importTitle")}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{t("cancel")}</Button>
          <Button kind="primary" busy={busy} disabled={!file || names === null} onClick={() => void send()}>{t("doImport")}</Button>
        </>
      }
    >
      <p>{t("importWords")}</p>
      <FileDrop label={t("file")} accept=".json,application/json" max={MAX_BYTES} hint={file?.name} onFiles={([chosen]) => take(chosen ?? null)} />
      {file && <Inside names={names} />}
      <fieldset class="profiles-modes">
        <legend>{t("mode")}</legend>
        {MODES.map((one) => (
          <label key={one.mode}>
            <input type="radio" name="profiles-mode" checked={one.mode === mode} onChange={() => choose(one.mode)} />
            <span>
              <strong>{t(one.label)}</strong>
              <small>{t(one.hint)}</small>
            </span>
          </label>
        ))}
      </fieldset>
      {problems.length > 0 && (
        <Notice tone="bad" live title={t("refused")}>
          <ul>
            {problems.slice(0, 20).map(({ path, message }) => <li key={path + message}>{[whereIn(path, names ?? []), message].filter(Boolean).join(": ")}</li>)}
          </ul>
        </Notice>
      )}
    </Dialog>
  );
}

/** What is in the file, and which of it there is already. */
function Inside({ names }: { names: readonly string[] | null }) {
  if (names === null) return <Notice tone="bad" live>{t("notRead")}</Notice>;
  const there = new Set(status.value?.profiles.map(({ name }) => name));
  const both = names.filter((name) => there.has(name));
  const list = (all: readonly string[]): string => [...all.slice(0, SHOWN), ...(all.length > SHOWN ? ["…"] : [])].join(", ");
  return (
    <div class="profiles-inside" role="status">
      {names.length > 0 && <p>{t("inFile", { n: names.length, names: list(names) })}</p>}
      {both.length > 0 && <p class="hint">{t("already", { n: both.length, names: list(both) })}</p>}
    </div>
  );
}

/** "/0/siren/pattern" as people find it: the profile by its name, then what of it. */
function whereIn(path: string, names: readonly string[]): string {
  const [, at = "", ...rest] = path.split("/");
  return /^\d+$/.test(at) ? [names[Number(at)] || Number(at) + 1, rest.join("/")].filter(Boolean).join(" · ") : path;
}

// Profiles out of a file, in three ways (PRF-11, PRF-14).

import { useState } from "preact/hooks";
import { Problem, ask } from "../../api";
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
const MAX_BYTES = 1_000_000;

interface Taken {
  added: string[];
  replaced: string[];
  warnings: { profile: string; words: string }[];
}

export function Importing({ first, onClose, onDone }: { first: File | null; onClose: () => void; onDone: () => Promise<unknown> }) {
  const [file, take] = useState<File | null>(first);
  const [mode, choose] = useState<Mode>("add");
  const [problems, tell] = useState<readonly FieldProblem[]>([]);
  const [busy, wait] = useState(false);
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
          <Button kind="primary" busy={busy} disabled={!file} onClick={() => void send()}>{t("doImport")}</Button>
        </>
      }
    >
      <p>{t("importWords")}</p>
      <FileDrop label={t("file")} accept=".json,application/json" max={MAX_BYTES} hint={file?.name} onFiles={([chosen]) => (take(chosen ?? null), tell([]))} />
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
            {problems.slice(0, 20).map(({ path, message }) => <li key={path + message}>{path ? `${path}: ${message}` : message}</li>)}
          </ul>
        </Notice>
      )}
    </Dialog>
  );
}

// A backup takes the place of what there is: looked into here first, then told what would change.

import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { get, Problem, upload } from "../../../api";
import { status } from "../../../live";
import { Link } from "../../../router";
import { number, percent } from "../../../words";
import { Button, Card, Notice } from "../../../ui/basics";
import { Form, TextField } from "../../../ui/fields";
import { FileDrop, Time } from "../../../ui/things";
import { leaving } from "./comeback";
import { addressWith, contentsOf, differences, type Contents, type Difference } from "./contents";
import { t } from "./words";

/** Passwords and keys that neither the last backup nor the device had (JSON pointers). */
const missing = signal<readonly string[]>([]);

const SHOWN = 100; // differences in the page
const LONGEST = 80; // characters of a value

interface Chosen {
  file: File;
  contents: Contents;
  changes: Difference[];
}

export function Restore() {
  const [chosen, choose] = useState<Chosen | null>(null);
  const [problem, complain] = useState("");
  const [busy, work] = useState(false);
  const look = async (file: File): Promise<void> => {
    work(true);
    complain("");
    choose(null);
    try {
      const contents = await contentsOf(file);
      if (contents === null) complain(t("noBackup", { name: file.name }));
      else choose({ file, contents, changes: differences((await get<{ settings: Record<string, unknown> }>("/settings")).settings, contents) });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      complain(error.message);
    }
    work(false);
  };
  return (
    <Card title={t("restoreBackup")} class="upkeep-restore">
      <p class="hint">{t("restoreLead")}</p>
      {!chosen && <FileDrop label={t("backup")} hint={t("restoreHint")} accept=".zip,application/zip" max={2 ** 30} busy={busy} onFiles={([file]) => void look(file!)} />}
      {problem && <Notice tone="bad" live>{problem}</Notice>}
      {missing.value.length > 0 && (
        <Notice tone="fair" title={t("missing")} actions={<Button small onClick={() => (missing.value = [])}>{t("missingDone")}</Button>}>
          <ul>
            {missing.value.slice(0, SHOWN).map((path) => (
              <li key={path}>
                <Link path={`/config${path}`}>{path}</Link>
              </li>
            ))}
          </ul>
        </Notice>
      )}
      {chosen && <Decide {...chosen} onClose={() => choose(null)} />}
    </Card>
  );
}

function Decide({ file, contents, changes, onClose }: Chosen & { onClose: () => void }) {
  const [password, type] = useState("");
  const [wrong, complain] = useState<string[]>([]);
  const [sent, send] = useState<number | null>(null);
  const encrypted = contents.secrets === "encrypted";
  const serial = status.value?.device.serial;
  const elsewhere = addressWith(contents.settings, changes);
  const restore = async (): Promise<void> => {
    complain([]);
    send(0);
    try {
      const headers = encrypted ? { "Backup-Password": encodeURIComponent(password) } : undefined;
      const told = await upload<{ missing: string[] }>("/restore", new Blob([file], { type: "application/zip" }), send, headers ? { headers } : {});
      missing.value = told.missing;
      leaving.value = { words: t("restoreRuns"), elsewhere };
      onClose();
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      complain(problem.fields.map(({ path, message }) => (path === "/password" || !path ? message : `${path}: ${message}`)));
      send(null);
    }
  };
  return (
    <Form class="stack" label={t("restoreBackup")} onSubmit={() => void restore()}>
      <dl class="facts">
        <dt>{t("of")}</dt>
        <dd>{contents.name} <code>{contents.serial}</code></dd>
        <dt>{t("made")}</dt>
        <dd><Time wall={contents.made} full /></dd>
        <dt>{t("madeBy")}</dt>
        <dd>sipstrobe {contents.program}</dd>
        <dt>{t("clips")}</dt>
        <dd>{number(contents.clips)}</dd>
        <dt>{t("secrets")}</dt>
        <dd>{t(encrypted ? "secretsIn" : "secretsOut")}</dd>
      </dl>
      {contents.serial !== serial && <Notice tone="fair">{t("otherDevice", { serial: serial ?? "" })}</Notice>}
      <Changes changes={changes} />
      {elsewhere && (
        <Notice tone="fair">
          {t("movesTo")} <code>{elsewhere}</code>
        </Notice>
      )}
      {encrypted && <TextField name="password" label={t("backupPassword")} error={wrong.join("; ") || undefined} type="password" value={password} onChange={(text) => (type(text), complain([]))} autocomplete="off" autoFocus />}
      {!encrypted && wrong.length > 0 && (
        <Notice tone="bad" live>
          {wrong.map((one) => (
            <div key={one}>{one}</div>
          ))}
        </Notice>
      )}
      <p class="hint">{t("restoreWords")}</p>
      <div class="form-foot">
        <Button onClick={onClose} disabled={sent !== null}>{t("cancel")}</Button>
        <Button kind="danger" type="submit" disabled={sent !== null || (encrypted && !password)}>
          {sent === null ? t("restoreNow") : sent < 1 ? t("sending", { share: percent(sent, 0) }) : t("checking")}
        </Button>
      </div>
    </Form>
  );
}

function Changes({ changes }: { changes: readonly Difference[] }) {
  if (!changes.length) return <p>{t("nothingChanges")}</p>;
  const sections = new Map<string, Difference[]>();
  for (const one of changes) {
    const section = one.path.split("/")[1]!;
    sections.set(section, [...(sections.get(section) ?? []), one]);
  }
  return (
    <section aria-label={t("whatChanges")}>
      <h3>{t("whatChanges")}</h3>
      {[...sections].map(([name, all]) => (
        <details key={name} class="upkeep-changes">
          <summary>
            <code>/{name}</code> <small>{t("places", { n: all.length })}</small>
          </summary>
          <table>
            <thead>
              <tr>
                <th scope="col">{t("setting")}</th>
                <th scope="col">{t("now")}</th>
                <th scope="col">{t("then")}</th>
              </tr>
            </thead>
            <tbody>
              {all.slice(0, SHOWN).map(({ path, now, then }) => (
                <tr key={path}>
                  <th scope="row">{path}</th>
                  <td>{shown(now)}</td>
                  <td>{shown(then)}</td>
                </tr>
              ))}
            </tbody>
          </table>
          {all.length > SHOWN && <p class="hint">{t("furtherPlaces", { n: all.length - SHOWN })}</p>}
        </details>
      ))}
    </section>
  );
}

function shown(value: unknown): string {
  if (value === undefined || value === null || value === "") return "–";
  if (Array.isArray(value) && value.some((one) => typeof one === "object")) return t("entries", { n: value.length });
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

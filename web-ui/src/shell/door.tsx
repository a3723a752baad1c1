// Before the device: the first visit creates its administrator, later visits log in.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Problem } from "../api";
import iconUrl from "../icon.svg";
import { entering, leave, logIn, session, setUp } from "../session";
import { Button, Dialog, Form, Notice, TextField, toast } from "../ui";
import { t } from "./words";

const HTTPS = 443;
const GOOD = 12; // characters
const NAME = /^[A-Za-z0-9._@-]{1,32}$/;

export function Door() {
  return <main class="door">{session.value.set_up ? <LogIn /> : <SetUp />}</main>;
}

/** A refusal of the device in words; others are ours. */
export async function refusalOf(action: () => Promise<unknown>): Promise<Problem | null> {
  try {
    await action();
    return null;
  } catch (problem) {
    if (problem instanceof Problem) return problem;
    throw problem;
  }
}

function Panel({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <div class="door-card card">
      <img src={iconUrl} width="44" height="44" alt="" />
      <h1>{title}</h1>
      {children}
    </div>
  );
}

/** What advises against a password on a network without encryption, and the way to where it is (GEN-05). */
export function Unsecured() {
  const { secure, https_port: port } = session.value;
  if (secure) return null;
  return (
    <Notice tone="fair" actions={port !== null && <a class="button button-plain button-small" href={`https://${location.hostname}${port === HTTPS ? "" : `:${port}`}/${location.hash}`}>{t("byHttps")}</a>}>
      {t("unsecured")}
    </Notice>
  );
}

/** GEN-03: the first visitor creates the administrator, and accepts the licence (GEN-05). */
function SetUp() {
  const [name, setName] = useState("admin");
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const [accepted, accept] = useState(false);
  const [reading, read] = useState(false);
  const [busy, work] = useState(false);
  const [wrong, complain] = useState<Record<string, string>>({});
  const submit = async (): Promise<void> => {
    const found: Record<string, string> = {};
    if (!NAME.test(name)) found.name = t("nameHint");
    if (!password) found.password = t("needed");
    if (password !== again) found.again = t("differ");
    if (!accepted) found.accept = t("mustAccept");
    complain(found);
    if (Object.keys(found).length) return;
    work(true);
    const problem = await refusalOf(() => setUp(name, password));
    work(false);
    if (problem) complain({ [problem.field?.replace(/^\//, "") || "form"]: problem.message });
  };
  return (
    <Panel title={t("welcome")}>
      <p class="dim">{t("firstVisit")}</p>
      <Unsecured />
      <Form class="stack" label={t("welcome")} onSubmit={() => void submit()}>
        <TextField name="name" label={t("name")} hint={t("nameHint")} error={wrong.name} value={name} onChange={setName} autocomplete="username" maxLength={32} />
        <div class="stack-tight">
          <TextField name="password" label={t("password")} error={wrong.password} type="password" value={password} onChange={setPassword} autocomplete="new-password" maxLength={64} autoFocus />
          <Strength password={password} />
        </div>
        <TextField name="again" label={t("again")} error={wrong.again} type="password" value={again} onChange={setAgain} autocomplete="new-password" maxLength={64} />
        <div class="field" data-field="accept">
          <div class="row">
            <label class="check">
              <input type="checkbox" checked={accepted} aria-invalid={wrong.accept ? "true" : undefined} onChange={(event) => accept(event.currentTarget.checked)} />
              {t("accept")}
            </label>
            <Button small kind="quiet" onClick={() => read(true)}>{t("licence")}</Button>
          </div>
          <p class="error" role="alert">{wrong.accept}</p>
        </div>
        <p class="error" role="alert">{wrong.form}</p>
        <Button kind="primary" type="submit" busy={busy}>{t("create")}</Button>
      </Form>
      {reading && <Licence onClose={() => read(false)} />}
    </Panel>
  );
}

export function Licence({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={t("licenceTitle")} onClose={onClose}>
      <p>{t("licenceWords")}</p>
      <p>
        <a href="https://www.apache.org/licenses/LICENSE-2.0" target="_blank" rel="noreferrer">Apache License 2.0</a>
      </p>
    </Dialog>
  );
}

/** How hard a password is to guess: its length first, then how many kinds of signs it has. */
function grade(password: string): 0 | 1 | 2 | 3 {
  if (!password) return 0;
  if (password.length < GOOD) return 1;
  const kinds = [/[a-z]/, /[A-Z]/, /[0-9]/, /[^A-Za-z0-9]/].filter((kind) => kind.test(password)).length;
  const varied = new Set(password).size >= 8;
  return varied && (kinds >= 2 || password.length >= 20) ? 3 : 2;
}

export function Strength({ password }: { password: string }) {
  const found = grade(password);
  const words = t((["strengthNone", "strengthShort", "strengthPlain", "strengthGood"] as const)[found]);
  return (
    <div class="strength" data-grade={found}>
      <div role="meter" aria-label={t("strength")} aria-valuemin={0} aria-valuemax={3} aria-valuenow={found} aria-valuetext={words}>
        <i />
      </div>
      <p class="hint" aria-live="polite">{words}</p>
    </div>
  );
}

function Credentials({ onDone, start = "" }: { onDone?: () => void; start?: string }) {
  const [name, setName] = useState(start);
  const [password, setPassword] = useState("");
  const [busy, work] = useState(false);
  const [wrong, complain] = useState("");
  const submit = async (): Promise<void> => {
    work(true);
    const problem = await refusalOf(() => logIn(name, password));
    work(false);
    complain(problem?.message ?? "");
    if (!problem) onDone?.();
  };
  return (
    <Form class="stack" label={t("logIn")} onSubmit={() => void submit()}>
      <TextField name="name" label={t("name")} value={name} onChange={setName} autocomplete="username" maxLength={32} autoFocus={!start} />
      <TextField name="password" label={t("password")} type="password" value={password} onChange={setPassword} autocomplete="current-password" maxLength={64} autoFocus={Boolean(start)} />
      <p class="error" role="alert">{wrong}</p>
      <Button kind="primary" type="submit" busy={busy}>{t("logIn")}</Button>
    </Form>
  );
}

/** GEN-04: what helps whoever cannot get in. */
function LogIn() {
  return (
    <Panel title={t("logIn")}>
      <Unsecured />
      <Credentials />
      <details>
        <summary>{t("lostPassword")}</summary>
        <p class="hint">{t("lostWords")}</p>
        <p class="hint"><code>sipstrobe account add</code></p>
        <p class="hint"><code>sipstrobe reset --factory</code></p>
      </details>
    </Panel>
  );
}

/** Over the page, so that what was entered stays there. */
export function LogInAgain() {
  return (
    <Dialog fixed title={t("logInAgain")} onClose={() => undefined} footer={<Button onClick={leave}>{t("leave")}</Button>}>
      <p>{t("expired")}</p>
      <Credentials start={session.value.name ?? ""} onDone={() => toast(t("live"), "good")} />
    </Dialog>
  );
}

/** For somebody who looks without an account. */
export function LogInOver() {
  return (
    <Dialog title={t("logIn")} onClose={() => (entering.value = false)}>
      <Unsecured />
      <Credentials />
    </Dialog>
  );
}

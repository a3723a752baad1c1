// By HTTP, HTTPS or both, and on which ports; whoever looks is taken along when the page moves.

import { useState } from "preact/hooks";
import { get, patch, Problem } from "../../../api";
import { status } from "../../../live";
import type { Section } from "../../../settings";
import type { Settings } from "../../../types";
import { Button, Card, Choose, confirm, Form, Notice, NumberField, TextField, toast, uiWords, useDraft, type Entered } from "../../../ui";
import { told } from "../../../words";
import { type Certificate, type Mode, moveTo, reachedBy, standings, type Web } from "./model";
import { Moving } from "./moving";
import { t } from "./words";

const MODES: readonly Mode[] = ["both", "http", "https"];
const FIRST_FREE = 1024; // HTT-02, HTT-03

type Draft = Partial<Pick<Web, "mode" | "host" | "port" | "https_port">>;

export function Serving({ section, certificates }: { section: Section<Web>; certificates: readonly Certificate[] }) {
  const now = section.value!;
  const entered = useDraft<Web, Draft>(section);
  const { value: draft, dirty, write, forget } = entered;
  const [going, go] = useState<string | null>(null);
  const next: Web = { ...now, ...draft };
  const edit = (change: Draft): void =>
    write(Object.fromEntries(Object.entries({ ...draft, ...change }).filter(([name, value]) => value !== now[name])));
  const name = reachedBy(now, next, location.hostname);
  const target = moveTo(now, next, location);
  const save = async (): Promise<void> => {
    if (target && !(await confirm({ title: t("moveAsk"), words: <MoveWords to={target} certificates={certificates} />, action: t("move"), danger: target.startsWith("http:") }))) return;
    if (!(await (target ? leaving(entered) : entered.save()))) return;
    write({});
    if (target) go(target);
    else toast(t("saved"), "good");
  };
  const wrong = (name: string): string | undefined => section.problems.find(({ path }) => path === `/web/${name}`)?.message;
  const homeless = section.problems.filter(({ path }) => !/^\/web\/(mode|host|port|https_port)$/.test(path));
  const trouble = status.value?.services.page ?? "";
  return (
    <Card title={t("serving")} class="certificates-serving">
      {trouble && <Notice tone="bad" live>{t("broken", { words: trouble })}</Notice>}
      <Form class="stack" label={t("serving")} onSubmit={() => void save()}>
        {entered.notice}
        {dirty && homeless.length > 0 && <Notice tone="bad" live>{homeless.map(({ message }) => message).join("; ")}</Notice>}
        <div>
          <Choose label={t("mode")} value={next.mode} onChange={(mode) => edit({ mode })} error={wrong("mode")} choices={MODES.map((mode) => ({ value: mode, label: t(mode) }))} />
          <p class="hint">{t(`mode_${next.mode}`)}</p>
        </div>
        <div class="schema-members">
          <NumberField name="port" label={t("port")} value={next.port} onChange={(port) => edit({ port: port ?? now.port })} min={1} max={65535} step={1} error={wrong("port")} hint={portHint(next.port, 80)} />
          <NumberField name="https_port" label={t("httpsPort")} value={next.https_port} onChange={(port) => edit({ https_port: port ?? now.https_port })} min={1} max={65535} step={1} error={wrong("https_port")} hint={portHint(next.https_port, 443)} />
        </div>
        <details class="schema-more" open={wrong("host") !== undefined}>
          <summary>{uiWords("more")}</summary>
          <TextField name="host" label={t("host")} hint={told("Where the page is served: 0.0.0.0 for all IPv4 addresses, :: for IPv6.")} error={wrong("host")} value={next.host} onChange={(host) => edit({ host })} maxLength={253} />
        </details>
        <Consequences next={next} name={name} dirty={dirty} gone={target !== null} />
        {dirty && (
          <div class="form-foot">
            <Button onClick={forget}>{t("cancel")}</Button>
            <Button kind="primary" type="submit" busy={section.saving}>{t("save")}</Button>
          </div>
        )}
      </Form>
      {going && <Moving to={going} onStay={() => go(null)} />}
    </Card>
  );
}

const portHint = (port: number, usual: number): string => (port < FIRST_FREE && port !== usual ? t("lowPort", { usual }) : "");

/** Where the page is, or will be. */
function Consequences({ next, name, dirty, gone }: { next: Web; name: string; dirty: boolean; gone: boolean }) {
  if (!dirty) return <p class="dim">{t("here", { url: location.origin })}</p>;
  const all = standings(next, name);
  return (
    <div class="certificates-after" role="status">
      <strong>{t("changes")}</strong>
      <ul>
        {all.map(({ url, does }) => (
          <li key={url}>{t(does, { url })}</li>
        ))}
        {gone && all.every(({ url }) => url !== location.origin) && <li>{t("nothing", { url: location.origin })}</li>}
      </ul>
    </div>
  );
}

/** What it means for who looks at the page now. */
function MoveWords({ to, certificates }: { to: string; certificates: readonly Certificate[] }) {
  const shown = certificates.find(({ used_by: users }) => users.includes("/web/certificate"));
  const unknown = to.startsWith("https:") && location.protocol === "http:" && shown?.self_signed;
  return (
    <>
      <p>{t("moveWords", { from: location.origin, to })}</p>
      {!to.startsWith(location.protocol) && <p>{t("moveLogIn")}</p>}
      {unknown && <p>{t("moveUnknown")}</p>}
      {unknown && <p><code>{shown.fingerprint_sha256}</code></p>}
      {to.startsWith("http:") && location.protocol === "https:" && <p>{t("moveLost")}</p>}
    </>
  );
}

/** Save what ends the connection that it is saved by: nothing is asked there afterwards. */
async function leaving({ value, since, save }: Entered<Web, Draft>): Promise<boolean> {
  try {
    const { revision, settings } = await get<Settings<Web>>("/settings/web");
    if (JSON.stringify(settings) !== JSON.stringify(since)) return await save(); // shows the conflict
    await patch("/settings/web", value, { revision });
    return true;
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    return save(); // shows what is wrong
  }
}

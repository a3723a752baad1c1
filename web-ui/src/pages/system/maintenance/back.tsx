// Restart, and the ways back to the defaults (OPS-01 … OPS-03): each says what it does, and asks.

import { useState } from "preact/hooks";
import { get, post, Problem } from "../../../api";
import { status } from "../../../live";
import { Button, Card } from "../../../ui/basics";
import { Dialog } from "../../../ui/dialog";
import { Form, TextField } from "../../../ui/fields";
import { CopyText } from "../../../ui/things";
import { leaving } from "./comeback";
import { t } from "./words";

const KINDS = { restart: "restart", defaults: "restore", factory: "factory" } as const; // as POST /reset names them
type Kind = keyof typeof KINDS;

export function WaysBack() {
  const [asked, ask] = useState<Kind | null>(null);
  return (
    <Card title={t("waysBack")}>
      <ul class="upkeep-ways">
        {(Object.keys(KINDS) as Kind[]).map((kind) => (
          <li key={kind}>
            <div>
              <strong>{t(`${kind}Title`)}</strong>
              <p class="hint">{t(`${kind}Words`)}</p>
            </div>
            <Button kind={kind === "restart" ? "plain" : "danger"} icon={kind === "restart" ? "refresh" : undefined} onClick={() => ask(kind)}>
              {t(`${kind}Do`)}
            </Button>
          </li>
        ))}
      </ul>
      {asked && <Ask kind={asked} onClose={() => ask(null)} />}
    </Card>
  );
}

function Ask({ kind, onClose }: { kind: Kind; onClose: () => void }) {
  const [typed, type] = useState("");
  const [wrong, complain] = useState("");
  const [busy, work] = useState(false);
  const calls = status.value?.calls.length ?? 0;
  const serial = status.value?.device.serial ?? "";
  const order = async (): Promise<void> => {
    work(true);
    try {
      const elsewhere = kind === "factory" ? await factoryAddress() : null;
      await post("/reset", { kind: KINDS[kind], confirm: typed });
      leaving.value = { words: t(`${kind}Words`), elsewhere };
      onClose();
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      complain(problem.message);
      work(false);
    }
  };
  return (
    <Dialog title={t(`${kind}Ask`)} onClose={onClose}>
      <Form class="stack" label={t(`${kind}Ask`)} onSubmit={() => void order()}>
        <p>{t(`${kind}Words`)}</p>
        {calls > 0 && <p class="error">{t("callsEnd", { n: calls })}</p>}
        {kind !== "restart" && (
          <>
            <p class="row">{t("serialIs")} <CopyText text={serial} /></p>
            <TextField name="confirm" label={t("serialType")} hint={t("serialHint")} error={wrong} value={typed} onChange={(text) => (type(text), complain(""))} autoFocus />
          </>
        )}
        {kind === "restart" && <p class="error" role="alert">{wrong}</p>}
        <div class="form-foot">
          <Button onClick={onClose}>{t("cancel")}</Button>
          <Button kind={kind === "restart" ? "primary" : "danger"} type="submit" busy={busy} disabled={kind !== "restart" && !typed.trim()}>
            {t(`${kind}Do`)}
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}

const FACTORY_PORT = 8080;

/** A new device has its page at the usual port, unless its command line says otherwise. */
async function factoryAddress(): Promise<string | null> {
  const { settings } = await get<{ settings: { port: number; mode: string } }>("/settings/web");
  const here = location.protocol === "http:" && location.port === String(FACTORY_PORT);
  return here || settings.port === FACTORY_PORT ? null : `http://${location.hostname}:${FACTORY_PORT}/`;
}

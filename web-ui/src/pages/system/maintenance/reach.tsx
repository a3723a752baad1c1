// Whether another host is there, and takes what is sent to a port (TRB-01).

import { useState } from "preact/hooks";
import { post } from "../../../api";
import { Badge, Button, Card, type Tone } from "../../../ui/basics";
import { Choose, Form, NumberField, TextField } from "../../../ui/fields";
import { fixed, told } from "../../../words";
import { wrongWith } from "../told";
import { t } from "./words";

/** POST /ping. */
interface Pinged {
  address: string;
  sent: number;
  received: number;
  milliseconds: number[];
  words: string;
}

/** POST /port-check. */
interface Checked {
  address: string;
  state: "open" | "closed" | "silent" | "unreachable";
  milliseconds: number | null;
  words: string;
}

const TONES: Record<Checked["state"], Tone> = { open: "good", closed: "bad", silent: "fair", unreachable: "bad" };

export function Reach() {
  return (
    <Card title={t("reach")}>
      <p class="hint">{t("reachLead")}</p>
      <div class="upkeep-reach">
        <Ping />
        <Port />
      </div>
    </Card>
  );
}

function Ping() {
  const [host, name] = useState("");
  const [found, tell] = useState<Pinged | null>(null);
  const [wrong, complain] = useState<Record<string, string>>({});
  const [busy, work] = useState(false);
  const ask = async (): Promise<void> => {
    work(true);
    tell(null);
    complain((await wrongWith(async () => tell(await post<Pinged>("/ping", { host: host.trim() })), ["host"])) ?? {});
    work(false);
  };
  return (
    <Form class="stack" label={t("ping")} onSubmit={() => void ask()}>
      <h3>{t("ping")}</h3>
      <TextField name="host" label={t("target")} hint={t("hostHint")} error={wrong.host} value={host} onChange={name} required />
      <div class="row">
        <Button type="submit" icon="search" busy={busy}>{t("pingDo")}</Button>
      </div>
      <div class="upkeep-answer" role="status">
        {busy && t("asking")}
        {wrong.form && <p class="error">{wrong.form}</p>}
        {found && (
          <>
            <Badge dot tone={found.received === 0 ? "bad" : found.received < found.sent ? "fair" : "good"}>{t("answersOf", { n: found.received, sent: found.sent })}</Badge>
            <p>{told(found.words)}</p>
            <p class="hint">
              <code>{found.address}</code> {found.milliseconds.map((ms) => `${fixed(ms, 1)} ms`).join(" · ")}
            </p>
          </>
        )}
      </div>
    </Form>
  );
}

function Port() {
  const [host, name] = useState("");
  const [port, number] = useState<number | null>(5060);
  const [transport, choose] = useState<"tcp" | "udp">("tcp");
  const [found, tell] = useState<Checked | null>(null);
  const [wrong, complain] = useState<Record<string, string>>({});
  const [busy, work] = useState(false);
  const ask = async (): Promise<void> => {
    work(true);
    tell(null);
    complain((await wrongWith(async () => tell(await post<Checked>("/port-check", { host: host.trim(), port, transport })), ["host", "port"])) ?? {});
    work(false);
  };
  return (
    <Form class="stack" label={t("port")} onSubmit={() => void ask()}>
      <h3>{t("port")}</h3>
      <TextField name="port-host" label={t("target")} hint={t("hostHint")} error={wrong.host} value={host} onChange={name} required />
      <div class="upkeep-pair">
        <NumberField name="port" label={t("portNumber")} error={wrong.port} value={port} onChange={number} min={1} max={65535} step={1} />
        <Choose label={t("transport")} value={transport} onChange={choose} choices={[{ value: "tcp", label: "TCP" }, { value: "udp", label: "UDP" }]} />
      </div>
      <div class="row">
        <Button type="submit" icon="search" busy={busy}>{t("portDo")}</Button>
      </div>
      <div class="upkeep-answer" role="status">
        {busy && t("asking")}
        {wrong.form && <p class="error">{wrong.form}</p>}
        {found && (
          <>
            <Badge dot tone={TONES[found.state]}>{t(found.state)}</Badge>
            <p>{told(found.words)}</p>
            <p class="hint">
              <code>{found.address}</code> {found.milliseconds !== null && `${fixed(found.milliseconds, 1)} ms`}
            </p>
          </>
        )}
      </div>
    </Form>
  );
}

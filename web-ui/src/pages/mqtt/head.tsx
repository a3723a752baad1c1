// How the connection stands, in plain words, with the reason of the last failure; and a try.

import { useEffect, useState } from "preact/hooks";
import { get } from "../../api";
import { newestEvents } from "../../live";
import { can } from "../../session";
import type { Section } from "../../settings";
import { Badge, Button, Card, CopyText, Notice, Time, toast, Toggle, type Tone } from "../../ui";
import { number, told } from "../../words";
import { PORTS, type Client, type Mqtt } from "./model";
import { Publish } from "./publish";
import { t } from "./words";

const COUNTED = ["sent", "received", "waiting", "dropped"] as const;

interface Props {
  section: Section<Mqtt>;
  client: Client;
}

export function Head({ section, client }: Props) {
  const [trying, attempt] = useState(false);
  const { host, reconnect } = section.value!;
  const may = section.may("/active");
  const turn = async (on: boolean): Promise<void> => {
    if (!(await section.save({ active: on }))) toast(section.peek().problems.map(({ message }) => message).join("; ") || t("refused"), "bad");
  };
  return (
    <Card class="mqtt-head">
      <div class="mqtt-state">
        <Toggle name="active" label={t("connect")} checked={section.value!.active} disabled={!may || (!host && !section.value!.active)} hint={host ? undefined : t("no_host")} onChange={(on) => void turn(on)} />
        <div class="mqtt-words" role="status">
          <Standing client={client} />
        </div>
        {can("operator") && client.active && <Button icon="upload" onClick={() => attempt(true)}>{t("publish")}</Button>}
      </div>
      {client.active && !client.connected && client.words && <p class="hint">{reconnect ? t("tried_again") : t("not_again")}</p>}
      {client.active && <Last client={client} />}
      <OtherWays section={section} client={client} />
      <dl class="mqtt-facts">
        {client.active && COUNTED.map((name) => (
          <div key={name} data-fact={name}>
            <dt>{t(name)}</dt>
            <dd class="figures">{number(client[name])}</dd>
          </div>
        ))}
        <div class="mqtt-prefix">
          <dt>{t("prefix")}</dt>
          <dd><CopyText text={client.prefix} label={t("copy_prefix")} /></dd>
        </div>
      </dl>
      {client.dropped > 0 && <Notice tone="fair">{t("dropped_hint")}</Notice>}
      {trying && <Publish client={client} onClose={() => attempt(false)} />}
    </Card>
  );
}

function Standing({ client: { active, connected, words, broker } }: { client: Client }) {
  const [tone, badge, text]: [Tone, string, string] = !active
    ? ["neutral", t("off"), t("off_words")]
    : connected
      ? ["good", t("connected"), broker]
      : words
        ? ["bad", t("not_connected"), `${broker} · ${told(words)}`]
        : ["fair", t("connecting"), broker];
  return (
    <>
      <Badge dot tone={tone}>{badge}</Badge> <span>{text}</span>
    </>
  );
}

const NO_WAY = /does not answer|timed out|refused|unreachable|no route|reset|has closed/i;
const WEB_PORT = 443;
const WAYS = [
  { words: "way_wss", patch: { protocol: "wss", port: null } },
  { words: "way_alpn", patch: { protocol: "ssl", port: WEB_PORT, alpn: "mqtt" } },
] as const;

/** Where nothing gets through, the ports of the web mostly do (PRB-06). */
function OtherWays({ section, client: { active, connected, words } }: Props) {
  const { protocol, port } = section.value!;
  const tried = port ?? PORTS[protocol];
  if (!active || connected || tried === WEB_PORT || !NO_WAY.test(words)) return null;
  const take = async (patch: Partial<Mqtt>): Promise<void> => {
    if (!(await section.save(patch))) toast(section.peek().problems.map(({ message }) => message).join("; ") || t("refused"), "bad");
  };
  return (
    <Notice tone="fair" title={t("way_blocked", { port: String(tried) })} actions={section.may("/protocol") && WAYS.map(({ words: way, patch }) => <Button key={way} small onClick={() => void take(patch)}>{t(way)}</Button>)}>
      {t("way_words")}
    </Notice>
  );
}

interface Trouble {
  time: string;
  items: Record<string, string>;
}

/** The last time that there was no broker, and why. */
function Last({ client }: { client: Client }) {
  const [trouble, tell] = useState<Trouble | null>(null);
  useEffect(() => {
    const gone = new AbortController();
    const read = (): void =>
      void get<{ events: Trouble[] }>("/history/events?event=device/service&limit=2000&seconds=2678400", { signal: gone.signal })
        .then(({ events }) => tell(events.find(({ items }) => items.service === "mqtt" && items.working === "false") ?? null))
        .catch(() => undefined); // asked again with the next change
    read();
    const end = newestEvents.subscribe((fresh) => {
      if (fresh.some(({ chain }) => chain[0]!.name === "device/service" && chain[0]!.items.service === "mqtt")) read();
    });
    return () => {
      end();
      gone.abort();
    };
  }, []);
  if (!trouble || !client.connected) return null;
  return (
    <p class="hint">
      {t("last_trouble")} <Time wall={trouble.time} seconds />: {told(trouble.items.problem ?? "")}
    </p>
  );
}

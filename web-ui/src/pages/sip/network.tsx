// The settings of SIP that belong to no account: ports, times, address translation, encryption.

import type { ComponentChildren } from "preact";
import { status } from "../../live";
import type { Section } from "../../settings";
import { Badge, Button, Card, Form, SchemaForm, toast, useDraft } from "../../ui";
import { number } from "../../words";
import { valueWords } from "./account";
import { same, type Sip } from "./model";
import { t } from "./words";

const PORTS = ["port", "tls_port", "websocket_port", "secure_websocket_port", "rtp_start_port"];
const CALLS = ["calls_together", "auto_answer_headers", "follow_transfers", "audio_direction", "dtmf_payload_type", "udp_to_tcp"];
const TIMES = ["calling_timeout", "ringing_timeout", "incoming_duration_limit", "end_calls_after", "max_calls", "session_expires", "session_refresher"];
const REGISTERING = ["registration_interval", "max_registration_attempts", "failback_after"];

export function Network({ section }: { section: Section<Sip> }) {
  return (
    <div class="sip-columns">
      <div>
        <Group section={section} title={t("ports")} names={PORTS}>
          <Listening />
        </Group>
        <Group section={section} title={t("behaviour")} names={CALLS} />
        <Group section={section} title={t("times")} names={TIMES} />
        <Group section={section} title={t("registering")} names={REGISTERING} />
      </div>
      <div>
        <Group section={section} title={t("nat")} names={["nat"]}>
          <p class="hint">{t("nat_hint")}</p>
          <Translation />
        </Group>
        <Group section={section} title={t("security")} names={["tls"]}>
          <p class="hint">{t("security_hint")}</p>
          <Encrypted section={section} />
        </Group>
      </div>
    </div>
  );
}

/** Some members of the section in a card, saved together. One struct alone is shown by its members. */
function Group({ section, title, names, children }: { section: Section<Sip>; title: string; names: readonly string[]; children?: ComponentChildren }) {
  const value = section.value!;
  const alone = names.length === 1 ? names[0]! : null;
  const draft = useDraft<Sip, Record<string, unknown>>(section, (entered) => (alone ? { [alone]: entered } : entered));
  const { dirty, write, forget } = draft;
  const base = alone ? `/sip/${alone}` : "/sip";
  const before = (alone ? value[alone] : value) as Record<string, unknown>;
  const shown = { ...before, ...draft.value };
  const others = Object.keys(value).filter((name) => !names.includes(name));
  const mine = section.problems.filter(({ path }) => names.some((name) => `${path}/`.startsWith(`/sip/${name}/`)));
  const change = (next: Record<string, unknown>): void =>
    write(Object.fromEntries(Object.entries(next).filter(([name, one]) => !same(one, before[name]))));
  const save = async (): Promise<void> => {
    if (await draft.save()) toast(t("saved"), "good");
  };
  return (
    <Card title={title} class="sip-group">
      {children}
      <Form label={title} onSubmit={() => void save()}>
        {draft.notice}
        <SchemaForm
          schema={alone ? partOf(section, alone) : section.schema}
          root={section.schema}
          value={shown}
          onChange={change}
          hide={alone ? [] : others.map((name) => `/${name}`)}
          order={names.map((name) => `/${name}`)}
          problems={mine}
          base={base}
          values={valueWords()}
          hints={alone ? undefined : { "/websocket_port": t("hint_websocket_port"), "/secure_websocket_port": t("hint_secure_websocket_port"), "/end_calls_after": t("hint_end_calls_after") }}
          readOnly={(path) => !section.may(alone ? `/${alone}${path}` : path)}
        />
        {dirty && (
          <div class="sip-buttons">
            <Button onClick={forget}>{t("cancel")}</Button>
            <Button type="submit" kind="primary" busy={section.saving}>{t("save")}</Button>
          </div>
        )}
      </Form>
    </Card>
  );
}

/** The schema of one struct of the section. */
function partOf({ schema }: Section<Sip>, name: string) {
  const root = schema.$ref ? schema.$defs?.[schema.$ref.split("/").at(-1)!] : schema;
  const { title: _, description: __, default: ___, ...struct } = root?.properties?.[name] ?? {};
  return struct;
}

function Listening() {
  const { listening = [], services = {} } = status.value ?? {};
  const problem = services.sip ?? "";
  return (
    <div class="sip-listening" aria-live="polite">
      <small>{t("listening")}</small>
      {problem ? <Badge dot tone="bad">{t("reach_broken", { words: problem })}</Badge> : !listening.length && <span>{t("listening_none")}</span>}
      <ul>
        {listening.map((words) => (
          <li key={words}>
            <Badge dot tone="good">{words}</Badge>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** How others see us, and what the servers have answered that are to help. */
function Translation() {
  const { nat } = status.value ?? {};
  if (!nat?.public && !nat?.servers.length) return <p class="hint">{t("nat_none")}</p>;
  return (
    <div class="sip-nat" aria-live="polite">
      {nat.public && <p>{t("nat_public", { address: nat.public })}</p>}
      <ul>
        {nat.servers.map(({ kind, server, milliseconds, problem }) => (
          <li key={kind + server}>
            <strong>{kind} {server}</strong>{" "}
            <Badge dot tone={problem ? "bad" : milliseconds === null ? "fair" : "good"}>
              {problem ? t("nat_useless") : milliseconds === null ? t("nat_asked") : t("nat_working", { ms: number(milliseconds, 0) })}
            </Badge>
            {problem && <small>{problem}</small>}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Encrypted({ section }: { section: Section<Sip> }) {
  const encrypted = section.value!.accounts.filter(({ transport }) => transport === "tls" || transport === "wss");
  if (!encrypted.length) return <p class="hint">{t("encrypted_none")}</p>;
  return (
    <ul class="sip-encrypted" aria-label={t("encrypted_accounts")}>
      {encrypted.slice(0, 50).map((account, n) => (
        <li key={n}>
          <strong>{account.name}</strong> <small>{t(`encrypted_media_${account.media_encryption}`)}</small>
        </li>
      ))}
    </ul>
  );
}

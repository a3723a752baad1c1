// Whether pages are received at all, what is known of the network, the relay, and sources from a description.

import { useState } from "preact/hooks";
import { post, Problem } from "../../api";
import { status } from "../../live";
import { can } from "../../session";
import type { Section } from "../../settings";
import { Badge, Button, Card, FileDrop, Form, Notice, SchemaForm, Select, TextField, toast, Toggle, useDraft, type Tone } from "../../ui";
import { told as translated } from "../../words";
import { codecName } from "../calls/model";
import { same } from "../sip/model";
import { valueWords } from "./editor";
import type { Heard, Multicast, Paged, Relay } from "./model";
import { t } from "./words";

const GRADES = { hearing: "good", deaf: "bad", "no querier": "fair", "cannot tell": "neutral", idle: "neutral" } as const satisfies Record<string, Tone>;
type Hearing = keyof typeof GRADES;
const CODECS = ["PCMU", "PCMA", "G722", "opus", "G726-32", "L16/8000", "L16/16000", "L16/48000"];
const SDP_MAX = 16_384; // bytes

const heardNow = (): Heard | undefined => status.value?.multicast as unknown as Heard | undefined;

export function Receiving({ section }: { section: Section<Multicast> }) {
  const { enabled, codec } = section.value!;
  const may = section.may("/enabled");
  const heard = heardNow();
  const about = section.schema.$defs?.MulticastSettings ?? section.schema;
  const turn = async (patch: Partial<Multicast>): Promise<void> => {
    if (!(await section.save(patch))) toast(section.peek().problems.map(({ message }) => message).join("; "), "bad");
  };
  const joined = heard?.sources ? t(heard.sources === 1 ? "joined_one" : "joined", { n: heard.joined, all: heard.sources }) : "";
  return (
    <Card title={t("receiving")} class="paging-receiving">
      <div class="stack">
        <Toggle name="enabled" label={translated(about.properties?.enabled?.title ?? "")} hint={translated(about.properties?.enabled?.description ?? "")} checked={enabled} disabled={!may} onChange={(on) => void turn({ enabled: on })} />
        <Select name="codec" label={translated(about.properties?.codec?.title ?? "")} hint={translated(about.properties?.codec?.description ?? "")} value={codec} disabled={!may} onChange={(chosen) => void turn({ codec: chosen })} choices={CODECS.map((value) => ({ value, label: codecName(value) }))} />
        {joined && <p class="paging-joined">{joined}</p>}
        {heard && <HearingWords {...heard.hearing} />}
      </div>
    </Card>
  );
}

function HearingWords({ state, words }: Heard["hearing"]) {
  const known = (name: string): name is Hearing => name in GRADES;
  if (state === "idle" && !words) return null;
  return (
    <div class="paging-hearing" aria-live="polite">
      <small>{t("hearing")}</small> <Badge dot tone={known(state) ? GRADES[state] : "neutral"}>{known(state) ? t(`hearing_${state.replace(" ", "_") as "deaf"}`) : state}</Badge>
      {words && <p>{words}</p>}
    </div>
  );
}

export function RelayCard({ section }: { section: Section<Multicast> }) {
  const { relay } = section.value!;
  const draft = useDraft<Multicast, Partial<Relay>>(section, (entered) => ({ relay: entered }));
  const may = section.may("/relay");
  const schema = section.schema.$defs?.RelaySettings ?? {};
  const save = async (): Promise<void> => {
    if (await draft.save()) toast(t("saved"), "good");
  };
  const change = (next: Relay): void => draft.write(Object.fromEntries(Object.entries(next).filter(([name, value]) => !same(value, relay[name]))));
  const mine = section.problems.filter(({ path }) => path.startsWith("/multicast/relay"));
  return (
    <Card title={t("relay")} class="paging-relay">
      <p class="hint">{t("relay_hint")}</p>
      <RelayState on={relay.enabled} />
      <Form label={t("relay")} onSubmit={() => void save()}>
        {draft.notice}
        <SchemaForm
          schema={schema}
          root={section.schema}
          value={{ ...relay, ...draft.value }}
          onChange={change}
          problems={mine}
          base="/multicast/relay"
          brief={["/enabled", "/sounds", "/address", "/port"]}
          hints={{ "/sounds": "" }}
          values={valueWords()}
          readOnly={!may}
        />
        {draft.dirty && (
          <div class="form-foot">
            <Button onClick={draft.forget}>{t("cancel")}</Button>
            <Button type="submit" kind="primary" busy={section.saving}>{t("save")}</Button>
          </div>
        )}
      </Form>
    </Card>
  );
}

function RelayState({ on }: { on: boolean }) {
  const told = heardNow()?.relay;
  if (!on || !told) return null;
  const words = told.state === "sending" ? (told.source ? t("relay_sending", { source: told.source }) : t("relay_sends")) : t(told.state === "blocked" ? "relay_blocked" : "relay_idle");
  const more = [told.problem, told.packets > 0 && t("relay_packets", { n: told.packets })].filter(Boolean).join(" · ");
  return (
    <Notice tone={told.state === "sending" ? "good" : told.state === "blocked" ? "bad" : "neutral"} live title={words}>
      {more && <span aria-live="off">{more}</span>}
    </Notice>
  );
}

/** What a sender has written of what it sends becomes a source, to be looked at before it is saved. */
export function FromDescription({ onRead }: { onRead: (source: Paged) => void }) {
  const [text, write] = useState("");
  const [wrong, complain] = useState("");
  const [busy, hold] = useState(false);
  const read = async (description: string): Promise<void> => {
    hold(true);
    try {
      const { source } = await post<{ source: Paged }>("/multicast/sdp", description, { headers: { "Content-Type": "application/sdp" } });
      complain("");
      write("");
      onRead(source);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      complain(problem.message);
    } finally {
      hold(false);
    }
  };
  const take = async ([file]: File[]): Promise<void> => {
    const said = await file!.text();
    write(said);
    await read(said);
  };
  if (!can("operator")) return null;
  return (
    <Card title={t("sdp")} class="paging-sdp">
      <p class="hint">{t("sdp_hint")}</p>
      <Form class="stack" label={t("sdp")} onSubmit={() => void read(text)}>
        <FileDrop label={t("sdp")} accept=".sdp,application/sdp,text/plain" max={SDP_MAX} busy={busy} onFiles={(files) => void take(files)} />
        <TextField name="sdp" label={t("sdp_label")} rows={5} value={text} onChange={write} error={wrong} required maxLength={SDP_MAX} placeholder={"v=0\nc=IN IP4 239.1.1.1/32\nm=audio 5004 RTP/AVP 0"} />
        <div class="form-foot">
          <Button type="submit" busy={busy}>{t("sdp_read")}</Button>
        </div>
      </Form>
    </Card>
  );
}

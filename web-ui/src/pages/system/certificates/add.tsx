// A new certificate: brought, asked for, or made (CRT-02, CRT-04, CRT-05).

import { useState } from "preact/hooks";
import { post } from "../../../api";
import { same } from "../../../settings";
import { Button, Choose, Dialog, Form, NumberField, TextField, toast, useLeave } from "../../../ui";
import { wrongWith } from "../told";
import { content, filesWrong } from "./bring";
import { Files, isEmpty, NOTHING, type Brought } from "./file";
import { t } from "./words";

const FIELDS = ["name", "names", "pem", "key", "pfx", "password", "key_type", "organization", "country", "days"];
const KEYS = ["P-256", "RSA-2048"] as const;
const DAYS_MAX = 3650;

type Way = "file" | "request" | "self";
const WAYS: readonly { value: Way; label: () => string }[] = [
  { value: "file", label: () => t("wayFile") },
  { value: "request", label: () => t("wayRequest") },
  { value: "self", label: () => t("waySelf") },
];

interface Draft {
  name: string;
  brought: Brought;
  password: string;
  names: string;
  key: (typeof KEYS)[number];
  organization: string;
  country: string;
  days: number;
}

const FIRST: Draft = { name: "", brought: NOTHING, password: "", names: "", key: "P-256", organization: "", country: "", days: 825 };

/** "Office-2026.pfx" → "Office-2026": a name, where none was given yet. */
const nameOf = ({ pfx, files }: Brought): string => (pfx?.name ?? files[0]?.name ?? "").replace(/\.[^.]*$/, "").replace(/[^A-Za-z0-9 ._-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "").slice(0, 64);

const split = (names: string): string[] => names.split(/[\s,;]+/).filter(Boolean);

function send(way: Way, { name, brought, password, names, key, organization, country, days }: Draft): Promise<unknown> {
  if (way === "file") return post("/certificates", { name, ...content(brought), password });
  if (way === "self") return post("/certificates", { name, self_signed: { names: split(names), days } });
  return post("/certificates/csr", { name, names: split(names), key_type: key, organization, country: country.toUpperCase() });
}

const DONE = { file: "brought", request: "asked", self: "made" } as const;
const ACTION = { file: "bring", request: "ask", self: "make" } as const;

export function Add({ onClose, onDone }: { onClose: () => void; onDone: () => Promise<void> }) {
  const [way, choose] = useState<Way>("file");
  const [draft, write] = useState<Draft>(FIRST);
  const [wrong, complain] = useState<Record<string, string>>({});
  const [busy, work] = useState(false);
  const leave = useLeave(!same(draft, FIRST), onClose);
  const edit = (change: Partial<Draft>): void => write({ ...draft, ...change });
  const submit = async (): Promise<void> => {
    if (way === "file" && isEmpty(draft.brought)) return complain({ pem: t("needed") });
    work(true);
    const refused = await wrongWith(() => send(way, draft), FIELDS);
    work(false);
    if (refused) return complain(refused);
    toast(t(DONE[way], { name: draft.name }), "good");
    onClose();
    await onDone();
  };
  return (
    <Dialog title={t("addTitle")} onClose={leave}>
      <Form class="stack" label={t("addTitle")} onSubmit={() => void submit()}>
        <Choose label={t("way")} hideLabel value={way} onChange={(next) => (choose(next), complain({}))} choices={WAYS.map(({ value, label }) => ({ value, label: label() }))} />
        {way === "file" && <Files value={draft.brought} onChange={(brought) => edit({ brought, name: draft.name || nameOf(brought) })} error={filesWrong(wrong)} />}
        <TextField name="name" label={t("name")} hint={t("nameHint")} error={wrong.name} value={draft.name} onChange={(name) => edit({ name })} maxLength={64} />
        {way === "file" && <TextField name="password" type="password" label={t("password")} hint={t("passwordHint")} error={wrong.password} value={draft.password} onChange={(password) => edit({ password })} autocomplete="off" />}
        {way !== "file" && <TextField name="names" label={t("dns")} hint={t("dnsHint")} error={wrong.names} value={draft.names} onChange={(names) => edit({ names })} placeholder="siren.example, 192.0.2.7" />}
        {way === "request" && <Asked draft={draft} edit={edit} wrong={wrong} />}
        {way === "self" && <NumberField name="days" label={t("days")} unit={t("daysUnit")} hint={t("selfHint")} error={wrong.days} value={draft.days} onChange={(days) => edit({ days: days ?? FIRST.days })} min={1} max={DAYS_MAX} step={1} />}
        <p class="error" role="alert">{wrong.form}</p>
        <div class="form-foot">
          <Button onClick={leave}>{t("cancel")}</Button>
          <Button kind="primary" type="submit" busy={busy}>{t(ACTION[way])}</Button>
        </div>
      </Form>
    </Dialog>
  );
}

/** What an authority wants to know. */
function Asked({ draft, edit, wrong }: { draft: Draft; edit: (change: Partial<Draft>) => void; wrong: Record<string, string> }) {
  return (
    <>
      <Choose label={t("keyType")} value={draft.key} onChange={(key) => edit({ key })} error={wrong.key_type} choices={KEYS} />
      <TextField name="organization" label={t("organization")} error={wrong.organization} value={draft.organization} onChange={(organization) => edit({ organization })} maxLength={64} />
      <TextField name="country" label={t("country")} hint={t("countryHint")} error={wrong.country} value={draft.country} onChange={(country) => edit({ country })} maxLength={2} />
    </>
  );
}

// The authorities by which SIP over TLS judges the certificates of servers (SAC-10, CRT-01).

import { useState } from "preact/hooks";
import type { Section } from "../../../settings";
import { Button, confirm, FileDrop, toast } from "../../../ui";
import { count, FILE_MAX } from "./model";
import { t } from "./words";

export interface Sip {
  tls: { authorities: string; certificate: string };
  [more: string]: unknown;
}

export function Authorities({ section }: { section: Section<Sip> }) {
  const [problem, complain] = useState("");
  const own = count(section.value!.tls.authorities);
  const store = async (authorities: string, words: string): Promise<void> => {
    complain("");
    if (!(await confirm({ title: t("authoritiesAsk"), words, action: authorities ? t("trust") : t("authoritiesClear"), danger: true }))) return;
    if (await section.save({ tls: { authorities } })) return toast(t("saved"), "good");
    if (section.peek().conflict && (await section.save({ tls: { authorities } }, { force: true }))) return toast(t("saved"), "good"); // one field: nothing of others is lost
    complain(section.peek().problems.map(({ message }) => message).join("; "));
    section.forgive();
  };
  const take = async ([file]: File[]): Promise<void> => {
    const text = await file!.text();
    const found = count(text);
    if (found) await store(text, t("authoritiesWords", { n: found }));
    else complain(t("authoritiesNone"));
  };
  return (
    <div class="stack">
      <p class="dim">{t("authoritiesHint")}</p>
      <div class="row">
        <strong>{own ? t("authoritiesOwn", { n: own }) : t("authoritiesSystem")}</strong>
        {own > 0 && <Button small onClick={() => void store("", t("authoritiesClearWords"))}>{t("authoritiesClear")}</Button>}
      </div>
      <FileDrop max={FILE_MAX} accept=".pem,.crt,.cer" label={t("authoritiesFile")} hint={t("authoritiesAccept")} onFiles={(files) => void take(files)} />
      <p class="error" role="alert">{problem}</p>
    </div>
  );
}

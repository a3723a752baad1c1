// One certificate: what it says, how long it is good, and what can be done with it.

import { useState } from "preact/hooks";
import { del, whole } from "../../../api";
import { deviceNow, wallAt } from "../../../live";
import type { Section } from "../../../settings";
import { attempt, Badge, Button, confirm, CopyText, Icon, Menu, type MenuItem, Notice, toast, type Tone } from "../../../ui";
import { locale } from "../../../words";
import type { Sip } from "./authorities";
import { Bring } from "./bring";
import { type Certificate, term, warning, type Web } from "./model";
import { t } from "./words";

interface Props {
  certificate: Certificate;
  web: Section<Web>;
  sip: Section<Sip>;
  onChanged: () => Promise<void>;
}

const SAID = /^it (expired|expires|is not valid before) /; // by the badge already
const day = (instant: string): string => new Intl.DateTimeFormat(locale.value, { dateStyle: "medium" }).format(new Date(instant));
const at = (name: string, what = ""): string => `/certificates/${encodeURIComponent(name)}${what}`;

export function One({ certificate: one, web, sip, onChanged }: Props) {
  const [bringing, bring] = useState<"signed" | "other" | null>(null);
  const { name } = one;
  const byPage = one.used_by.includes("/web/certificate");
  const bySip = one.used_by.includes("/sip/tls/certificate");
  const ready = one.state === "ready";
  const usePage = async (): Promise<void> => {
    if (location.protocol === "https:" && !(await confirm({ title: t("useAsk", { name }), words: t("useWords"), action: t("usePage") }))) return;
    await use(web, { certificate: name }, name);
    await onChanged();
  };
  const useSip = async (): Promise<void> => {
    await use(sip, { tls: { certificate: name } }, name);
    await onChanged();
  };
  const remove = async (): Promise<void> => {
    if (!(await confirm({ title: t("removeAsk", { name }), words: t("removeWords"), action: t("remove"), danger: true }))) return;
    if (await attempt(() => del(at(name)), t("removed", { name }))) await onChanged();
  };
  const more: MenuItem[] = [
    { label: t("replace"), icon: "upload", onSelect: () => bring("other") },
    { label: t("remove"), icon: "trash", danger: true, disabled: one.used_by.length > 0, onSelect: () => void remove() },
  ];
  return (
    <article class="card certificates-one" aria-label={name}>
      <header>
        <div>
          <h3>{name}</h3>
          {one.built_in && <small>{t("own")}</small>}
        </div>
        {!one.built_in && <Menu label={t("actions", { name })} icon="more" hideLabel items={more} />}
      </header>
      <div class="certificates-badges">
        <Term certificate={one} />
        {byPage && <Badge tone="accent">{t("byPage")}</Badge>}
        {bySip && <Badge tone="accent">{t("bySip")}</Badge>}
      </div>
      {one.warnings.filter((words) => !SAID.test(words)).map((words) => (
        <Notice key={words} tone="fair">{warning(words)}</Notice>
      ))}
      {!ready && <p class="dim">{t("waits")}</p>}
      <Facts certificate={one} />
      <div class="row certificates-buttons">
        {ready && !byPage && <Button small aria-label={t("usePageName", { name })} onClick={() => void usePage()}>{t("usePage")}</Button>}
        {ready && !bySip && sip.value && <Button small aria-label={t("useSipName", { name })} onClick={() => void useSip()}>{t("useSip")}</Button>}
        {ready && <Download path={at(name, "/pem")} words={t("download")} label={t("downloadName", { name })} />}
        {!ready && <Download path={at(name, "/csr")} words={t("request")} label={t("requestName", { name })} />}
        {!ready && <Button small kind="primary" icon="upload" aria-label={t("signName", { name })} onClick={() => bring("signed")}>{t("sign")}</Button>}
      </div>
      {bringing && <Bring name={name} signed={bringing === "signed"} onClose={() => bring(null)} onDone={onChanged} />}
    </article>
  );
}

async function use<T>(section: Section<T>, patch: object, name: string): Promise<void> {
  const stored = (await section.save(patch)) || (section.peek().conflict !== null && (await section.save(patch, { force: true }))); // one field: nothing of others is lost
  if (stored) return toast(t("used", { name }), "good");
  toast(section.peek().problems.map(({ message }) => message).join("; "), "bad");
  section.forgive();
}

function Download({ path, words, label }: { path: string; words: string; label: string }) {
  return (
    <a class="button button-plain button-small" href={whole(path)} download="" aria-label={label}>
      <Icon name="download" size={16} />
      {words}
    </a>
  );
}

const TONES: Record<"expired" | "expires" | "valid" | "future", Tone> = { expired: "bad", expires: "fair", valid: "good", future: "fair" };

/** How long it is good, in words. */
function Term({ certificate }: { certificate: Certificate }) {
  const left = term(certificate, wallAt(deviceNow()).getTime());
  if (!left) return <Badge dot tone="fair">{t("requested")}</Badge>;
  return <Badge dot tone={TONES[left.key]}>{t(left.key, { n: left.days, date: day(left.date) })}</Badge>;
}

function Facts({ certificate: one }: { certificate: Certificate }) {
  return (
    <dl class="facts">
      <dt>{t("names")}</dt>
      <dd>{one.names.join(", ") || t("noNames")}</dd>
      {one.subject && (
        <>
          <dt>{t("subject")}</dt>
          <dd>{one.subject}</dd>
        </>
      )}
      {one.issuer && (
        <>
          <dt>{t("issuer")}</dt>
          <dd>{one.self_signed ? t("itself") : one.issuer}</dd>
        </>
      )}
      {one.chain.length > 0 && (
        <>
          <dt>{t("chain")}</dt>
          <dd>{one.chain.join(" › ")}</dd>
        </>
      )}
      {one.valid_from && one.valid_to && (
        <>
          <dt>{t("validity")}</dt>
          <dd>{t("fromTo", { from: day(one.valid_from), to: day(one.valid_to) })}</dd>
        </>
      )}
      <dt>{t("key")}</dt>
      <dd>{one.key_type}</dd>
      {one.fingerprint_sha256 && (
        <>
          <dt>{t("fingerprint")}</dt>
          <dd>
            <CopyText text={one.fingerprint_sha256} label={t("copyFingerprint")} />
          </dd>
        </>
      )}
    </dl>
  );
}

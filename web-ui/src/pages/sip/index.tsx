// SIP: accounts, extensions, digits, who may call, network and security, and a call to try it all.

import { useEffect, useState } from "preact/hooks";
import type { PageProps } from "../../pages";
import { status } from "../../live";
import { navigate } from "../../router";
import { useSection, type Section } from "../../settings";
import { Button, Card, CopyText, Loading, Notice, PageHead, Tabs, toast, Toggle, type Tab } from "../../ui";
import { AccessList } from "./access";
import { Accounts } from "./accounts";
import { Assistant } from "./assistant";
import { Digits } from "./digits";
import { Extensions } from "./extensions";
import "./german";
import { addressOf, portOf, type Sip } from "./model";
import { Network } from "./network";
import "./sip.css";
import { TestCall } from "./test";
import { t } from "./words";

const TABS = ["accounts", "extensions", "digits", "access", "network", "test"] as const;

export default function SipPage({ rest, query }: PageProps) {
  const section = useSection<Sip>("sip");
  const [helping, help] = useState(false);
  const asked = query.get("assistant") !== null;
  useEffect(() => {
    if (asked && section.value !== null && section.may()) help(true);
  }, [asked, section.value !== null]);
  if (section.value === null) return section.problems.length ? <Notice tone="bad">{section.problems[0]!.message}</Notice> : <Loading />;
  const content: Record<(typeof TABS)[number], Tab["content"]> = {
    accounts: () => <Accounts section={section} onCall={(account) => navigate(`/sip/test?account=${encodeURIComponent(account)}`)} />,
    extensions: () => <Extensions />,
    digits: () => <Digits sip={section} />,
    access: () => <AccessList section={section} />,
    network: () => <Network section={section} />,
    test: () => <TestCall account={query.get("account") ?? ""} />,
  };
  return (
    <div class="sip">
      <PageHead title={t("title")}>{t("lead")}</PageHead>
      <Head section={section} onHelp={() => help(true)} />
      <Tabs label={t("title")} selected={rest[0] ?? "accounts"} onSelect={(key) => navigate(`/sip/${key}`)} tabs={TABS.map((key) => ({ key, label: t(`tab_${key}`), content: content[key] }))} />
      {helping && <Assistant section={section} onClose={() => help(false)} />}
    </div>
  );
}

/** The two switches, where the device can be reached, and the way to the assistant. */
function Head({ section, onHelp }: { section: Section<Sip>; onHelp: () => void }) {
  const { enabled, allow_incoming, accounts } = section.value!;
  const problem = status.value?.services.sip;
  const port = portOf(status.value?.listening ?? []);
  const direct = accounts.find(({ kind, enabled: active }) => kind === "peer_to_peer" && active);
  const address = enabled && allow_incoming && port !== null && direct ? addressOf(location.hostname, port, direct.user_id) : "";
  const may = section.may("/enabled");
  const turn = async (patch: Partial<Sip>): Promise<void> => {
    if (!(await section.save(patch))) toast(section.peek().problems.map(({ message }) => message).join("; "), "bad");
  };
  return (
    <Card class="sip-head">
      <div class="sip-switches">
        <Toggle name="enabled" label={t("enabled")} checked={enabled} disabled={!may} onChange={(on) => void turn({ enabled: on })} />
        <Toggle name="allow_incoming" label={t("incoming")} checked={allow_incoming} disabled={!may || !enabled} onChange={(on) => void turn({ allow_incoming: on })} />
        {address && (
          <span class="sip-reach">
            <small>{t("dial")}</small> <CopyText text={address} />
          </span>
        )}
        {may && enabled && <Button icon="wrench" title={t("assistant_hint")} onClick={onHelp}>{t("assistant")}</Button>}
      </div>
      {problem && <Notice tone="bad" live>{t("reach_broken", { words: problem })}</Notice>}
      {!enabled && (
        <Notice tone="accent" title={t("off_title")} actions={may && <Button kind="primary" icon="wrench" onClick={onHelp}>{t("assistant")}</Button>}>
          {t("off_words")}
        </Notice>
      )}
    </Card>
  );
}

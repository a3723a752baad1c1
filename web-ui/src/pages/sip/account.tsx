// The editor of one account: what a PBX asks for in sight, all else below.

import { useMemo, useState } from "preact/hooks";
import type { Section } from "../../settings";
import { Button, Dialog, EntryNotices, Form, SchemaForm, titleOf, toast, uiWords, useEntry, useLeave, type Place } from "../../ui";
import { Codecs } from "./codecs";
import { keyOf, type Account, type Sip } from "./model";
import { t } from "./words";

const BRIEF = {
  registered: ["/name", "/kind", "/user_id", "/password", "/authentication_id", "/domain", "/registrar", "/caller_id", "/transport", "/answer_automatically", "/enabled"],
  peer_to_peer: ["/name", "/kind", "/user_id", "/caller_id", "/transport", "/answer_automatically", "/enabled"],
} as const;
const OF_SERVERS = ["/authentication_id", "/password", "/registrar", "/secondary_domain", "/secondary_registrar", "/hot_standby", "/secondary_proxies"];
const ORDER = ["/name", "/kind", "/user_id", "/password", "/domain", "/transport", "/answer_automatically"];

export const TRANSPORTS: Record<string, string> = { udp: "UDP", tcp: "TCP", tls: "TLS", ws: "WebSocket", wss: "Secure WebSocket" };

/** The words of values that the device has as names. */
export const valueWords = (): Record<string, string> => ({
  ...TRANSPORTS, peer_to_peer: t("account_peer"), registered: t("account_registered"), sdes: "SDES", dtls: "DTLS-SRTP",
});

export function AccountEditor({ section, account, onClose }: { section: Section<Sip>; account: Account | null; onClose: () => void }) {
  const place: Place<Sip, Account> = {
    section,
    list: ({ accounts }) => accounts,
    key: keyOf,
    base: "/sip/accounts",
    arrange: ({ accounts }, entry, at) => ({ patch: { accounts: at < 0 ? [...accounts, entry] : accounts.with(at, entry) }, at: at < 0 ? accounts.length : at }),
  };
  const [first] = useState<Account>(() => account ?? ({ kind: "registered", name: "", user_id: "", default: false } as Account));
  const entry = useEntry(place, first, account === null ? null : keyOf(account));
  const schema = useMemo(() => section.schema.$defs?.Account ?? {}, [section.schema]);
  const { value } = entry;
  const kind = value.kind ?? "registered";
  const leave = useLeave(entry.dirty, () => {
    section.forgive();
    onClose();
  });
  const saved = (): void => {
    toast(t("saved"), "good");
    onClose();
  };
  const title = account === null ? t("account_new") : t("account_edit", { name: account.name });
  return (
    <Dialog title={title} wide onClose={leave}>
      <Form class="sip-form" label={title} onSubmit={() => void entry.save().then((done) => done && saved())}>
        <EntryNotices entry={entry} titles={(name) => titleOf(name, schema.properties?.[name] ?? {})} onSaved={saved} />
        <SchemaForm
          schema={schema}
          root={section.schema}
          value={value}
          onChange={(next: Account) => entry.write(next)}
          problems={section.problems}
          base={entry.base}
          brief={BRIEF[kind]}
          order={ORDER}
          hide={["/default", "/id", "/dtmf_configuration", ...(kind === "peer_to_peer" ? OF_SERVERS : [])]}
          values={valueWords()}
          render={{ "/codecs": (field) => <Codecs value={field.value as string[]} onChange={field.onChange} error={field.error} disabled={field.disabled} /> }}
          entry={(_, one, at) => (one as { address?: string; user?: string }).address || (one as { user?: string }).user || uiWords("entry", { n: at + 1 })}
          readOnly={!section.may("/accounts")}
        />
        <div class="sip-buttons">
          <Button onClick={leave}>{t("cancel")}</Button>
          {section.may("/accounts") && (
            <Button type="submit" kind="primary" busy={section.saving}>
              {t("save")}
            </Button>
          )}
        </div>
      </Form>
    </Dialog>
  );
}

// The form that places a call.

import { useState } from "preact/hooks";
import { post, Problem } from "../../api";
import { status } from "../../live";
import { Button } from "../../ui/basics";
import { Form, Select, TextField } from "../../ui/fields";
import { announce } from "../../ui/toast";
import { party } from "./model";
import { t } from "./words";

const LONGEST = 256; // characters of an address

/** onCall: told the id of the call, and whom it calls. account: the one that is chosen at first, "" the default one. */
export function PlaceCall({ account: first = "", to: before = "", onCall }: { account?: string; to?: string; onCall?: (id: string, to: string) => void }) {
  const [to, write] = useState(before);
  const [account, choose] = useState(first);
  const [wrong, complain] = useState<{ field: string; words: string } | null>(null);
  const [busy, hold] = useState(false);
  const accounts = [...new Set((status.value?.registrations ?? []).map((one) => one.account))];
  const call = async (): Promise<void> => {
    hold(true);
    try {
      const { id } = await post<{ id: string }>("/calls", account ? { to: to.trim(), account } : { to: to.trim() });
      complain(null);
      announce(t("calling", { party: party(to.trim()) }));
      onCall?.(id, to.trim());
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      complain({ field: problem.field ?? "to", words: problem.message });
    } finally {
      hold(false);
    }
  };
  const error = (field: string): string | undefined => (wrong?.field === field || (field === "to" && wrong?.field !== "account") ? wrong?.words : undefined);
  return (
    <Form class="calls-place" label={t("try_call")} onSubmit={() => void call()}>
      {(accounts.length > 1 || account !== "") && (
        <Select label={t("with_account")} value={account} onChange={choose} error={error("account")} choices={[{ value: "", label: t("default_account") }, ...accounts.map((name) => ({ value: name, label: name }))]} />
      )}
      <TextField label={t("address")} hint={t("try_hint")} error={error("to")} value={to} onChange={write} placeholder="1001@pbx.example" maxLength={LONGEST} required name="to" autoFocus={before !== ""} />
      <Button type="submit" kind="primary" icon="phone" busy={busy}>
        {t("call")}
      </Button>
    </Form>
  );
}

// Who was not let in (LOG-04): the newest first, new ones as they come.

import { useEffect, useState } from "preact/hooks";
import { get, Problem } from "../../../api";
import { newestEvents, whenBack } from "../../../live";
import { Badge, Button, Card, Empty, Loading, Notice } from "../../../ui/basics";
import { givenName } from "../../../ui/given_name";
import { Table, type Column } from "../../../ui/lists";
import { Time } from "../../../ui/things";
import { span } from "../../../words";
import { t } from "./words";

interface Refusal {
  seq: number;
  at: string;
  event: "sign_in_failed" | "address_blocked";
  address: string;
  name?: string;
  attempts?: number;
  seconds?: number;
}

interface Page {
  refusals: Refusal[];
  next: number | null;
}

const PAGE = 100;
const TOLD = ["device/sign_in_failed", "device/address_blocked"]; // events after which there are more
const SOON = 300; // milliseconds from an event to a look at the list, for several at once

export function Refusals() {
  const [told, tell] = useState<Page | null>(null);
  const [problem, complain] = useState("");
  const [busy, work] = useState(false);
  const read = async (before?: number): Promise<void> => {
    work(true);
    try {
      const page = await get<Page>(`/log/access?limit=${PAGE}${before ? `&before=${before}` : ""}`);
      tell((known) => (before && known ? { refusals: [...known.refusals, ...page.refusals], next: page.next } : page));
      complain("");
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      complain(error.message);
    }
    work(false);
  };
  useEffect(() => {
    let soon: ReturnType<typeof setTimeout> | undefined;
    const again = (): void => {
      soon = undefined;
      void read();
    };
    again();
    const stop = newestEvents.subscribe((fresh) => {
      if (fresh.some(({ chain }) => TOLD.includes(chain[0]!.name))) soon ??= setTimeout(again, SOON);
    });
    const back = whenBack(again);
    return () => {
      stop();
      back();
      clearTimeout(soon);
    };
  }, []);
  const next = told?.next ?? null;
  return (
    <Card title={t("tabAccess")} actions={<Button small icon="refresh" busy={busy} onClick={() => void read()}>{t("refresh")}</Button>}>
      <p class="hint">{t("accessLead")}</p>
      {problem && <Notice tone="bad" live>{problem}</Notice>}
      {told === null ? !problem && <Loading /> : <Table caption={t("tabAccess")} columns={columns()} rows={told.refusals} rowKey={({ seq }) => seq} empty={<Empty icon="lock" title={t("accessNone")} />} />}
      {next !== null && (
        <footer class="form-foot">
          <Button small busy={busy} onClick={() => void read(next)}>{t("olderRefusals")}</Button>
        </footer>
      )}
    </Card>
  );
}

const columns = (): Column<Refusal>[] => [
  { key: "at", title: t("when"), narrow: true, cell: ({ at }) => <Time wall={at} full /> },
  { key: "what", title: t("what"), cell: (one) => <What {...one} /> },
  { key: "address", title: t("address"), cell: ({ address }) => <code>{address}</code> },
  { key: "name", title: t("name"), cell: ({ name }) => givenName(name ?? "") },
];

function What({ event, attempts, seconds }: Refusal) {
  const words = event === "address_blocked" ? t("blockedFor", { time: span(seconds ?? 0) }) : (attempts ?? 1) > 1 ? t("attempts", { n: attempts! }) : "";
  return (
    <>
      <Badge tone={event === "address_blocked" ? "bad" : "fair"}>{t(event)}</Badge> {words && <small>{words}</small>}
    </>
  );
}

// Who is connected over HTTP, SIP and MQTT (STA-08).

import { Badge, Card, Loading, Notice } from "../../../ui/basics";
import { Table, type Column } from "../../../ui/lists";
import { useTold } from "../told";
import { t } from "./words";

interface Client {
  protocol: string;
  address: string;
  port: number;
  state: "active" | "idle" | "open" | "connecting";
  came: boolean; // opened by the other side
  user: string; // who has last signed in from that address
}

const OFTEN = 5; // seconds

export function Clients() {
  const { value, problem } = useTold<{ total: number; clients: Client[] }>("/clients", { every: OFTEN });
  return (
    <Card title={t("clients")} actions={value && <small>{t("connections", { n: value.total })}</small>}>
      <p class="hint">{t("clientsLead")}</p>
      {problem && <Notice tone="bad" live>{problem}</Notice>}
      {value ? <Table caption={t("clients")} columns={columns()} rows={value.clients} rowKey={(one) => `${one.protocol} ${one.address} ${one.port}`} /> : !problem && <Loading />}
    </Card>
  );
}

const columns = (): Column<Client>[] => [
  { key: "protocol", title: t("protocol"), cell: ({ protocol }) => protocol },
  { key: "address", title: t("address"), cell: ({ address, port }) => <code>{address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`}</code> },
  { key: "state", title: t("state"), cell: ({ state }) => <Badge dot tone={state === "active" || state === "open" ? "good" : state === "connecting" ? "fair" : "neutral"}>{t(state === "open" ? "connected" : state)}</Badge> },
  { key: "way", title: t("opened"), cell: ({ came }) => t(came ? "byThem" : "byUs") },
  { key: "user", title: t("user"), cell: ({ user }) => user || "–" },
];

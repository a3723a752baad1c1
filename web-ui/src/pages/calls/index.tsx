// Calls: those that run, one that is placed from here, and those that were.

import { useState } from "preact/hooks";
import { status } from "../../live";
import { Link } from "../../router";
import { can } from "../../session";
import { Button, Card, Empty, Loading, PageHead } from "../../ui/basics";
import { attempt } from "../../ui/toast";
import { command } from "../../api";
import { addressOf, portOf } from "../sip/model";
import { RunningCall } from "./call";
import "./calls.css";
import { History } from "./history";
import { Keypad } from "./keypad";
import { PlaceCall } from "./place";
import { t } from "./words";

export default function Calls() {
  const told = status.value;
  const [to, call] = useState({ to: "", turn: 0 });
  const operator = can("operator");
  if (told === null) return <Loading />;
  return (
    <div class="calls">
      <PageHead title={t("title")}>{t("lead")}</PageHead>
      <Running />
      {operator && (
        <Card title={t("try_call")} class="calls-new">
          <PlaceCall key={to.turn} to={to.to} />
        </Card>
      )}
      <History {...(operator ? { onCall: (party: string) => call({ to: party, turn: to.turn + 1 }) } : {})} />
    </div>
  );
}

function Running() {
  const [dialling, dial] = useState(false);
  const { calls, listening } = status.value!;
  const active = calls.filter(({ state }) => state === "active").length;
  const port = portOf(listening);
  const actions = can("operator") && calls.length > 1 && (
    <>
      {active > 1 && (
        <Button aria-expanded={dialling} onClick={() => dial(!dialling)}>
          {t("all_keypad")}
        </Button>
      )}
      <Button kind="danger" icon="hangup" onClick={() => void attempt(() => command("hang-up"), t("ended_all"))}>
        {t("hang_up_all")}
      </Button>
    </>
  );
  return (
    <Card title={t("running")} class="calls-running" actions={actions || undefined}>
      {calls.length === 0 && (
        <Empty icon="phone" title={t("none")} action={port === null && can("administrator") ? <Link path="/sip">{t("set_up")}</Link> : undefined}>
          {port === null ? t("none_off") : t("none_hint", { address: addressOf(location.hostname, port, "anything") })}
        </Empty>
      )}
      {dialling && active > 1 && <Keypad call={null} label={t("all_keypad")} />}
      <ul class="calls-list">
        {calls.map((call) => (
          <RunningCall key={call.id} call={call} />
        ))}
      </ul>
    </Card>
  );
}

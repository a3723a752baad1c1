// The device begins anew: it goes, and it comes back, and the page says honestly how far that is.

import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { connection } from "../../../live";
import { expired, readSession } from "../../../session";
import { Button } from "../../../ui/basics";
import { Dialog } from "../../../ui/dialog";
import { useTick } from "../../../ui/things";
import { toast } from "../../../ui/toast";
import { span } from "../../../words";
import { t } from "./words";

const OFTEN = 1000; // milliseconds between two looks whether it is back
const LONG = 45; // seconds after which people are told where else to look

export interface Leaving {
  words: string; // what it does
  elsewhere: string | null; // where it will be, where that is another address
}

/** It has said that it begins anew. */
export const leaving = signal<Leaving | null>(null);

export function Comeback() {
  const order = leaving.value;
  return order && <Away order={order} />;
}

function Away({ order }: { order: Leaving }) {
  useTick();
  const [since] = useState(performance.now());
  const [gone, go] = useState(false);
  const lost = connection.value === "lost";
  const back = gone && !lost;
  useEffect(() => {
    if (lost) go(true);
  }, [lost]);
  useEffect(() => {
    if (!back) return;
    leaving.value = null;
    toast(t("isBack"), "good");
  }, [back]);
  useEffect(() => () => void (leaving.value = null), []);
  const answers = gone && expired.value;
  useEffect(() => {
    if (!gone || answers) return undefined;
    const again = setInterval(() => void readSession().catch(() => undefined), OFTEN);
    return () => clearInterval(again);
  }, [gone, answers]);
  const waited = (performance.now() - since) / 1000;
  return (
    <Dialog fixed title={t("anew")} onClose={() => undefined} footer={waited > LONG ? <Button onClick={() => (leaving.value = null)}>{t("stopWaiting")}</Button> : undefined}>
      <p>{order.words}</p>
      <ol class="upkeep-steps" aria-live="polite">
        <li data-done={gone ? "" : undefined}>{t("ends")}</li>
        <li data-done={answers || back ? "" : undefined}>{t("starts")}</li>
        <li data-done={back ? "" : undefined}>{t("answers")}</li>
      </ol>
      <p class="dim figures" aria-hidden="true">{t("since", { time: span(Math.floor(waited)) })}</p>
      {order.elsewhere ? (
        <p>
          {t("movesTo")} <a href={order.elsewhere}>{order.elsewhere}</a>
        </p>
      ) : (
        waited > LONG && !answers && <p>{t("takesLong")}</p>
      )}
    </Dialog>
  );
}

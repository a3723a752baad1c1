// On the way to where the page is served from now on. The device gives nothing up before what takes
// its place works: so whoever waits until this address ends finds the other one.

import { useEffect, useState } from "preact/hooks";
import { get, Problem } from "../../../api";
import { status } from "../../../live";
import { Button, Dialog, Loading, Notice } from "../../../ui";
import { t } from "./words";

const LOOK = 400; // milliseconds between two looks
const LOOKS = 60; // after which it has not moved

/** Whether the page is still served here. */
async function isHere(): Promise<boolean> {
  try {
    await get("/session", { signal: AbortSignal.timeout(2000) });
    return true;
  } catch (problem) {
    if (problem instanceof Problem || problem instanceof DOMException) return false;
    throw problem;
  }
}

export function Moving({ to, onStay }: { to: string; onStay: () => void }) {
  const [late, give] = useState(false);
  const there = `${to}/${location.hash}`;
  useEffect(() => {
    let here = true;
    const wait = async (): Promise<void> => {
      for (let look = 0; look < LOOKS && here; look += 1) {
        if (!(await isHere())) return location.assign(there);
        await new Promise((go) => setTimeout(go, LOOK));
      }
      if (here) give(true);
    };
    void wait();
    return () => {
      here = false;
    };
  }, [there]);
  const trouble = status.value?.services.page ?? "";
  const stayed = late || trouble !== "";
  return (
    <Dialog fixed title={t("moving")} onClose={onStay} footer={stayed && <Button onClick={onStay}>{t("stay")}</Button>}>
      <p>
        <a href={there}>{to}</a>
      </p>
      {stayed ? <Notice tone="bad" live>{trouble ? t("stayed", { words: trouble }) : t("stayedSilent")}</Notice> : <Loading words={t("movingWords")} />}
    </Dialog>
  );
}

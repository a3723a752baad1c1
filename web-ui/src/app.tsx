// What is shown first: the first visit, the log-in, or the device.

import { effect } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { onUnreached, Problem } from "./api";
import { connect, disconnect } from "./live";
import { onLeave } from "./router";
import { entering, expired, known, readSession, session } from "./session";
import { forgetSections } from "./settings";
import { Door, LogInAgain, LogInOver } from "./shell/door";
import { Shell } from "./shell/shell";
import { t } from "./shell/words";
import { Loading, mayLeave, Questions, Toasts } from "./ui";
import { language } from "./words";

const RETRY = 2; // seconds until the device is asked again

onUnreached(() => t("unreached"));
onLeave(mayLeave);
effect(() => {
  document.documentElement.lang = language.value;
  if (language.value === "de") void import("./refusals");
});

export function App() {
  const [lost, lose] = useState("");
  useEffect(() => {
    let again: ReturnType<typeof setTimeout> | undefined;
    const enter = async (): Promise<void> => {
      try {
        await readSession();
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        lose(problem.message);
        again = setTimeout(() => void enter(), 1000 * RETRY);
      }
    };
    void enter();
    return () => clearTimeout(again);
  }, []);
  const { name, role } = session.value;
  const inside = role !== null;
  useEffect(() => {
    if (!inside) return undefined;
    connect();
    return () => {
      disconnect();
      forgetSections();
    };
  }, [inside, name]);
  if (!known.value)
    return (
      <main class="door">
        <Loading words={lost || undefined} />
      </main>
    );
  return (
    <>
      {inside ? <Shell /> : <Door />}
      {expired.value && <LogInAgain />}
      {entering.value && <LogInOver />}
      <Questions />
      <Toasts />
    </>
  );
}

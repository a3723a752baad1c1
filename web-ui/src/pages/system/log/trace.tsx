// A trace of SIP, RTP and RTCP (LOG-05): begun for some seconds, watched, taken away.

import { useEffect, useState } from "preact/hooks";
import { del, get, post, Problem } from "../../../api";
import { repeat } from "../../../live";
import { Badge, Button, Card, Loading, Notice } from "../../../ui/basics";
import { confirm } from "../../../ui/dialog";
import { Form, NumberField } from "../../../ui/fields";
import { Icon } from "../../../ui/icon";
import { Time } from "../../../ui/things";
import { attempt } from "../../../ui/toast";
import { bytes, number, span, told } from "../../../words";
import { t } from "./words";

/** GET /capture. */
interface Capture {
  running: boolean;
  began: string | null;
  seconds_left: number;
  packets: number;
  lost: number;
  bytes: number;
  words: string; // why it has ended
  file: boolean;
  warning: string;
}

const OFTEN = 1; // seconds between two looks at one that runs
const SELDOM = 5; // and at what others may have begun
const LONGEST = 300; // seconds
const USUAL = 60;

export function Trace() {
  const [capture, tell] = useState<Capture | null>(null);
  const [problem, complain] = useState("");
  const read = async (): Promise<void> => {
    try {
      tell(await get<Capture>("/capture"));
      complain("");
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      complain(error.message);
    }
  };
  const running = capture?.running ?? false;
  useEffect(() => {
    void read();
    return repeat(read, running ? OFTEN : SELDOM);
  }, [running]);
  const stop = (): Promise<boolean> => attempt(async () => tell(await post<Capture>("/capture/stop")));
  return (
    <Card title={t("tabTrace")} class="log-trace">
      <p class="hint">{t("traceLead")}</p>
      {problem && <Notice tone="bad" live>{problem}</Notice>}
      {capture === null ? (
        !problem && <Loading />
      ) : (
        <>
          <Notice tone="fair" title={t("traceWarning")}>{told(capture.warning)}</Notice>
          {running ? (
            <p class="row" role="status">
              <Badge dot tone="bad">{t("running")}</Badge> <span class="figures">{t("left", { time: span(capture.seconds_left) })}</span>
              <Button icon="stop" onClick={() => void stop()}>{t("stop")}</Button>
            </p>
          ) : (
            <Begin replaces={capture.file} onBegun={tell} />
          )}
          {(running || capture.file) && <Facts {...capture} />}
          {capture.file && <Take onGone={() => void read()} />}
        </>
      )}
    </Card>
  );
}

function Begin({ replaces, onBegun }: { replaces: boolean; onBegun: (capture: Capture) => void }) {
  const [seconds, choose] = useState<number | null>(USUAL);
  const [wrong, complain] = useState("");
  const begin = async (): Promise<void> => {
    try {
      onBegun(await post<Capture>("/capture", { seconds }));
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      complain(problem.message);
    }
  };
  return (
    <Form class="log-begin" label={t("start")} onSubmit={() => void begin()}>
      <NumberField name="seconds" label={t("seconds")} hint={t("secondsHint", { n: LONGEST })} error={wrong} unit="s" value={seconds} onChange={(value) => (choose(value), complain(""))} min={1} max={LONGEST} step={1} />
      <div class="row">
        <Button kind="primary" icon="play" type="submit">{t("start")}</Button>
        {replaces && <small>{t("replace")}</small>}
      </div>
    </Form>
  );
}

function Facts({ began, packets, lost, bytes: size, words, running }: Capture) {
  return (
    <dl class="facts">
      <dt>{t("began")}</dt>
      <dd>{began && <Time wall={began} full />}</dd>
      <dt>{t("packets")}</dt>
      <dd>
        {number(packets)} {lost > 0 && <Badge tone="fair">{t("lostPackets", { n: lost })}</Badge>}
      </dd>
      <dt>{t("size")}</dt>
      <dd>{bytes(size)}</dd>
      {!running && words && (
        <>
          <dt>{t("ended")}</dt>
          <dd>{told(words)}</dd>
        </>
      )}
    </dl>
  );
}

function Take({ onGone }: { onGone: () => void }) {
  const forget = async (): Promise<void> => {
    if (!(await confirm({ title: t("forgetAsk"), words: t("forgetWords"), action: t("forget"), danger: true }))) return;
    if (await attempt(() => del("/capture/file"), t("forgotten"))) onGone();
  };
  return (
    <div class="form-foot">
      <Button kind="quiet" icon="trash" onClick={() => void forget()}>{t("forget")}</Button>
      <a class="button button-primary" href="/api/v1/capture/file" download="">
        <Icon name="download" size={18} />
        {t("save")}
      </a>
    </div>
  );
}

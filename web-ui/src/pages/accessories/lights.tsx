// Where the light is shown: each output with its lamps as they are, how it works, and a test.

import { useEffect, useState } from "preact/hooks";
import { post } from "../../api";
import { hearFrames, status } from "../../live";
import { can } from "../../session";
import { useSection, type Section } from "../../settings";
import type { LightName } from "../../types";
import { attempt, Badge, Button, Card, confirm, Dialog, Empty, Icon, Loading, Notice, SeizureWarning, toast } from "../../ui";
import { number } from "../../words";
import { Lamps } from "./lamps";
import { BRIEF, OutputEditor } from "./output";
import { inFull, KINDS, MAX_OUTPUTS, nameOf, type Kind, type Output, type Stored } from "./outputs";
import { t } from "./words";

const TEST_SECONDS = 5;
const RATES: Partial<Record<Kind, number>> = { ddp: 40, e131: 40, artnet: 40, ws2812: 40, gpio: 20 };

export interface LightsSettings {
  outputs: Stored[];
}

export function Lights() {
  const section = useSection<LightsSettings>("lights");
  const [choosing, choose] = useState(false);
  const [edited, edit] = useState<{ output: Output; isNew: boolean } | null>(null);
  if (!section.value) return <Loading />;
  const { outputs } = section.value;
  const may = section.may("/outputs");
  const stored = outputs.map(inFull);
  const elsewhere = Object.keys(status.value?.lights ?? {}).filter((name) => !stored.some((output) => nameOf(output) === name));
  const add = may && (
    <Button kind="primary" icon="plus" disabled={outputs.length >= MAX_OUTPUTS} onClick={() => choose(true)}>
      {t("add_output")}
    </Button>
  );
  return (
    <div class="stack">
      <Card title={t("lights")} actions={outputs.length > 0 && add}>
        <p class="hint">{t("lights_hint")}</p>
        <SeizureWarning />
        {elsewhere.length > 0 && <Notice tone="accent">{t("elsewhere", { names: elsewhere.join(", ") })}</Notice>}
        {status.value?.maintenance.active && <Notice tone="accent">{t("maintenance")}</Notice>}
      </Card>
      {outputs.length === 0 ? (
        <Card>
          <Empty icon="sun" title={t("no_outputs")} action={add}>{t("no_outputs_hint")}</Empty>
        </Card>
      ) : (
        <ul class="accessories-outputs" aria-label={t("lights")}>
          {stored.map((output) => (
            <li key={nameOf(output)}>
              <One section={section} output={output} may={may} unused={elsewhere.length > 0} onEdit={() => edit({ output, isNew: false })} />
            </li>
          ))}
        </ul>
      )}
      {choosing && <Choice onChoose={(kind) => (choose(false), edit({ output: { kind }, isNew: true }))} onClose={() => choose(false)} />}
      {edited && <OutputEditor section={section} {...edited} onClose={() => edit(null)} />}
    </div>
  );
}

function Choice({ onChoose, onClose }: { onChoose: (kind: Kind) => void; onClose: () => void }) {
  return (
    <Dialog wide title={t("add_output")} onClose={onClose}>
      <ul class="accessories-kinds">
        {KINDS.map((kind) => (
          <li key={kind}>
            <button type="button" onClick={() => onChoose(kind)}>
              <Icon name={kind === "log" ? "list" : kind === "none" ? "close" : "sun"} size={22} />
              <strong>{t(`kind_${kind}`)}</strong>
              <span>{t(`about_${kind}`)}</span>
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

interface OneProps {
  section: Section<LightsSettings>;
  output: Output;
  may: boolean;
  unused: boolean; // the light is shown elsewhere in this run, unless the device says how this one works
  onEdit: () => void;
}

function One({ section, output, may, unused, onEdit }: OneProps) {
  const name = nameOf(output);
  const problem = (status.value?.lights as Record<string, string>)[name];
  const light = output.light ?? "SignalingLED";
  const remove = async (): Promise<void> => {
    if (!(await confirm({ title: t("remove_sure", { name }), words: t("remove_words"), action: t("remove"), danger: true }))) return;
    if (await section.save(({ outputs }) => ({ outputs: outputs.filter((one) => nameOf(inFull(one)) !== name) }))) toast(t("removed"), "good");
    else toast(section.peek().problems.map(({ message }) => message).join("; ") || t("refused"), "bad");
  };
  return (
    <article class="card accessories-output" aria-label={name} data-output={name}>
      <header>
        <div>
          <h2>{t(`kind_${output.kind}`)}</h2>
          <code>{name}</code>
        </div>
        <span role="status">
          {problem === undefined ? <Badge dot>{unused ? t("not_used") : t("opening")}</Badge> : problem ? <Badge dot tone="bad">{t("broken")}</Badge> : <Badge dot tone="good">{t("works")}</Badge>}
        </span>
      </header>
      {problem && <Notice tone="bad" live>{problem}</Notice>}
      <Lamps output={output} />
      {output.kind !== "none" && <Rate light={light} limit={Number(output.frame_rate ?? RATES[output.kind] ?? 0)} />}
      <div class="row accessories-buttons">
        {can("operator") && output.kind !== "none" && <Test light={light} name={name} />}
        {may && (
          <>
            {BRIEF[output.kind].length > 0 && <Button small icon="edit" aria-label={t("edit_output", { name })} onClick={onEdit}>{t("edit")}</Button>}
            <Button small kind="quiet" icon="trash" aria-label={t("remove_output", { name })} onClick={() => void remove()}>{t("remove")}</Button>
          </>
        )}
      </div>
    </article>
  );
}

/** How many new pictures the light has had in the last second. */
function Rate({ light, limit }: { light: LightName; limit: number }) {
  const [rate, tell] = useState(0);
  useEffect(() => {
    let count = 0;
    const end = hearFrames((frame) => void (frame.light === light && count++));
    const beat = setInterval(() => (tell(count), (count = 0)), 1000);
    return () => (end(), clearInterval(beat));
  }, [light]);
  const shown = limit ? Math.min(rate, limit) : rate;
  return <p class="dim">{limit ? t("rate_of", { rate: number(shown, 0), limit: number(limit, 0) }) : t("rate", { rate: number(shown, 0) })}</p>;
}

interface Tried {
  functions: { shown: boolean; words: string }[];
}

/** All lamps of this light white for a moment, on every output that shows it. */
function Test({ light, name }: { light: LightName; name: string }) {
  const profile = { name: t("test"), light: { pattern: "Steady", colors: ["white"], intensity: 3, function: light } };
  const test = async (): Promise<void> => {
    const { functions } = await post<Tried>("/profiles/preview", { profile, functions: ["light"], seconds: TEST_SECONDS });
    const hidden = functions.find(({ shown }) => !shown);
    toast(hidden ? hidden.words : t("test_shown", { seconds: String(TEST_SECONDS) }), hidden ? "bad" : "good");
  };
  return <Button small icon="sun" aria-label={t("test_output", { name })} title={t("test_hint")} onClick={() => void attempt(test)}>{t("test")}</Button>;
}

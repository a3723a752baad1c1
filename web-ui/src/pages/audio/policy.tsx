// Who is heard with whom: the table of kinds, what the owner has changed in it, and its editor.

import { useEffect, useRef, useState } from "preact/hooks";
import { can } from "../../session";
import { Button, Card, join } from "../../ui/basics";
import { confirm } from "../../ui/dialog";
import { Choose, Slider } from "../../ui/fields";
import { decibels } from "../../words";
import { KINDS, ruleOf, same, withRule, type Does, type Kind, type MixRule, type Pair } from "./model";
import { t } from "./words";

export const kindWords = (kind: Kind): string => t(({ page: "onePage", call: "oneCall", siren: "siren", clip: "oneClip", tone: "tone" } as const)[kind] ?? "tone");

const briefly = ({ does, duck_db }: MixRule): string => ({ mix: t("both"), alone: t("silent"), full: t("silentFull"), duck: decibels(duck_db) })[does];
const inFull = ({ does, duck_db }: MixRule): string => ({ mix: t("inBoth"), alone: t("inAlone"), full: t("inFull"), duck: t("inDuck", { by: -duck_db }) })[does];

interface Props {
  own: readonly MixRule[];
  standard: readonly MixRule[];
  store: (rules: MixRule[]) => void;
}

export function Policy({ own, standard, store }: Props) {
  const [edited, edit] = useState<Pair | null>(null);
  const table = useRef<HTMLTableElement>(null);
  const close = (): void => {
    const pair = edited;
    edit(null);
    if (pair) table.current?.querySelector<HTMLElement>(`[data-pair="${pair.over} ${pair.under}"]`)?.focus();
  };
  const resetAll = async (): Promise<void> => {
    if (await confirm({ title: t("resetAsk"), words: t("resetWords"), action: t("resetAll") })) store([]);
  };
  return (
    <Card title={t("policy")} class="audio-policy" actions={own.length > 0 && can("operator") && <Button small kind="quiet" onClick={() => void resetAll()}>{t("resetAll")}</Button>}>
      <p class="hint">{t("policyHint")}</p>
      <div class="audio-policy-scroll" tabIndex={0} role="group" aria-label={t("policyHint")}>
        <table ref={table}>
          <thead>
            <tr>
              <th scope="col"><span class="hidden">{t("over")}</span></th>
              {KINDS.map((kind) => <th key={kind} scope="col">{kindWords(kind)}</th>)}
            </tr>
          </thead>
          <tbody>
            {KINDS.map((over) => (
              <tr key={over}>
                <th scope="row">{kindWords(over)}</th>
                {KINDS.map((under) => <Cell key={under} pair={{ over, under }} own={own} standard={standard} edited={edited} edit={edit} />)}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {edited && <Editor key={`${edited.over} ${edited.under}`} pair={edited} own={own} standard={standard} store={store} close={close} />}
    </Card>
  );
}

function Cell({ pair, own, standard, edited, edit }: { pair: Pair; own: readonly MixRule[]; standard: readonly MixRule[]; edited: Pair | null; edit: (pair: Pair) => void }) {
  const rule = ruleOf(pair, own, standard);
  const mine = own.some(same(pair));
  const words = `${t("pair", { over: kindWords(pair.over), under: kindWords(pair.under) })}: ${inFull(rule)}${mine ? `, ${t("changed")}` : ""}`;
  return (
    <td data-does={rule.does} class={join(mine && "audio-own")}>
      <button type="button" data-pair={`${pair.over} ${pair.under}`} disabled={!can("operator")} aria-label={words} title={words} aria-pressed={edited !== null && same(pair)(edited)} onClick={() => edit(pair)}>
        {briefly(rule)}
      </button>
    </td>
  );
}

function Editor({ pair, own, standard, store, close }: { pair: Pair; close: () => void } & Props) {
  const rule = ruleOf(pair, own, standard);
  const usual = standard.find(same(pair));
  const [does, choose] = useState(rule.does); // at once, and stored a moment later
  const [duck, slide] = useState(rule.duck_db);
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => place.current?.querySelector<HTMLElement>("input:checked")?.focus(), []);
  const reset = (): void => {
    if (usual) choose(usual.does), slide(usual.duck_db);
    store(own.filter((one) => !same(pair)(one)));
  };
  const change = (part: Partial<MixRule>): void => store(withRule({ ...rule, ...part }, own, standard));
  return (
    <div class="audio-pair" ref={place} onKeyDown={({ key }) => key === "Escape" && close()}>
      <Choose<Does>
        label={t("pair", { over: kindWords(pair.over), under: kindWords(pair.under) })}
        value={does}
        onChange={(wanted) => (choose(wanted), change({ does: wanted }))}
        choices={[
          { value: "mix", label: t("doBoth") },
          { value: "duck", label: t("doDuck") },
          { value: "alone", label: t("doAlone") },
          { value: "full", label: t("doFull") },
        ]}
      />
      {does === "duck" && <Slider label={t("softerBy")} min={-40} max={-1} step={1} value={duck} words={decibels} onChange={slide} onDone={(duck_db) => change({ does, duck_db })} />}
      {usual && <p class="hint">{t("usual", { words: inFull(usual) })}</p>}
      <div class="buttons">
        {own.some(same(pair)) && <Button small onClick={reset}>{t("reset")}</Button>}
        <Button small kind="primary" onClick={close}>{t("done")}</Button>
      </div>
    </div>
  );
}

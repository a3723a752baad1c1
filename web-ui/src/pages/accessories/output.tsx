// One output of the light as it is made or changed: where it is first, how its pixels lie behind.

import { useState } from "preact/hooks";
import { useGuard } from "../../router";
import type { Section } from "../../settings";
import { Button, ConflictNotice, Dialog, Form, make, mayLeave, resolve, SchemaForm, toast, uiWords } from "../../ui";
import type { LightsSettings } from "./lights";
import { inFull, nameOf, type Kind, type Output, type Stored, type TowerLine } from "./outputs";
import { t } from "./words";

/** What is asked for first; nothing can be set about a kind that has none. */
export const BRIEF: Record<Kind, readonly string[]> = {
  virtual: [],
  none: [],
  log: ["/path"],
  ddp: ["/host", "/pixels", "/order", "/brightness", "/current_limit_ma"],
  e131: ["/universe", "/channel", "/host", "/pixels", "/order", "/brightness"],
  artnet: ["/host", "/net", "/subnet", "/universe", "/channel", "/pixels", "/order"],
  ws2812: ["/device", "/pixels", "/order", "/brightness", "/current_limit_ma"],
  gpio: ["/chip", "/lines", "/active_low"],
};

interface Props {
  section: Section<LightsSettings>;
  output: Output;
  isNew: boolean;
  onClose: () => void;
}

export function OutputEditor({ section, output, isNew, onClose }: Props) {
  const { kind } = output;
  const schema = resolve({ $ref: CLASSES[kind] }, section.schema);
  const [first] = useState<Output>(() => ({ ...(make({ ...schema, default: undefined }, section.schema) as object), ...output }));
  const [draft, write] = useState(first);
  const dirty = isNew || JSON.stringify(draft) !== JSON.stringify(first);
  useGuard(dirty, mayLeave);
  const placeIn = (outputs: readonly Stored[]): number => {
    const found = isNew ? -1 : outputs.findIndex((one) => nameOf(inFull(one)) === nameOf(output));
    return found < 0 ? outputs.length : found;
  };
  const close = (): void => {
    section.forgive();
    onClose();
  };
  const leave = async (): Promise<void> => {
    if (JSON.stringify(draft) === JSON.stringify(first) || (await mayLeave())) close();
  };
  const saved = (): void => {
    toast(t("saved"), "good");
    close();
  };
  const save = async (): Promise<void> => {
    if (!dirty) return close();
    if (await section.save(({ outputs }) => ({ outputs: outputs.toSpliced(placeIn(outputs), 1, draft) }))) saved();
  };
  const title = isNew ? `${t("add_output")}: ${t(`kind_${kind}`)}` : t(`kind_${kind}`);
  return (
    <Dialog wide title={title} onClose={() => void leave()}>
      <Form class="stack" label={title} onSubmit={() => void save()}>
        <p class="hint">{t(`about_${kind}`)}</p>
        <ConflictNotice section={section} onTheirs={close} onSaved={saved} />
        <SchemaForm
          schema={schema}
          root={section.schema}
          value={draft}
          onChange={(next: Output) => write({ ...next, kind })}
          problems={section.problems}
          base={`/lights/outputs/${placeIn(section.value!.outputs)}`}
          hide={["/kind"]}
          brief={BRIEF[kind]}
          order={BRIEF[kind]}
          values={{ SignalingLED: t("signaling"), AudioLED: t("audio_led"), dark: t("dark"), leave: t("leave_as_is") }}
          entry={(path, one, n) => (path === "/lines" ? t("tower_lamp", { n: n + 1, line: String((one as TowerLine).line) }) : uiWords("entry", { n: n + 1 }))}
        />
        <div class="form-foot">
          <Button onClick={() => void leave()}>{t("cancel")}</Button>
          <Button kind="primary" type="submit" busy={section.saving}>{t("save")}</Button>
        </div>
      </Form>
    </Dialog>
  );
}

/** What the device's schema calls each kind. */
const CLASSES: Record<Kind, string> = { virtual: "Virtual", none: "Nowhere", log: "Log", ddp: "Ddp", e131: "E131", artnet: "ArtNet", ws2812: "Ws2812", gpio: "Tower" };

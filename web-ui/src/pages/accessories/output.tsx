// One output of the light as it is made or changed: where it is first, how its pixels lie behind.

import { useState } from "preact/hooks";
import type { Section } from "../../settings";
import { Button, Dialog, EntryNotices, Form, make, resolve, SchemaForm, titleOf, toast, uiWords, useEntry, useLeave, type Place } from "../../ui";
import type { LightsSettings } from "./lights";
import { inFull, nameOf, type Kind, type Output, type TowerLine } from "./outputs";
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

/** usual: what an output of this kind has where nothing is said. */
const placeIn = (section: Section<LightsSettings>, usual: object, kind: Kind): Place<LightsSettings, Output> => ({
  section,
  list: ({ outputs }) => outputs.map(inFull).map((one) => (one.kind === kind ? { ...usual, ...one } : one)),
  key: nameOf,
  base: "/lights/outputs",
  arrange: ({ outputs }, one, at) => (at < 0 ? { patch: { outputs: [...outputs, one] }, at: outputs.length } : { patch: { outputs: outputs.with(at, one) }, at }),
});

export function OutputEditor({ section, output, isNew, onClose }: Props) {
  const { kind } = output;
  const schema = resolve({ $ref: CLASSES[kind] }, section.schema);
  const [usual] = useState(() => make({ ...schema, default: undefined }, section.schema) as object);
  const [first] = useState<Output>(() => ({ ...usual, ...output }));
  const entry = useEntry(placeIn(section, usual, kind), first, isNew ? null : nameOf(output));
  const draft = entry.value;
  const close = (): void => {
    section.forgive();
    onClose();
  };
  const leave = useLeave(entry.dirty, close);
  const saved = (): void => {
    toast(t("saved"), "good");
    close();
  };
  const save = async (): Promise<void> => {
    if (!isNew && !entry.dirty) return close();
    if (await entry.save()) saved();
  };
  const title = isNew ? `${t("add_output")}: ${t(`kind_${kind}`)}` : t(`kind_${kind}`);
  return (
    <Dialog wide title={title} onClose={leave}>
      <Form class="stack" label={title} onSubmit={() => void save()}>
        <p class="hint">{t(`about_${kind}`)}</p>
        <EntryNotices entry={entry} titles={(name) => titleOf(name, schema.properties?.[name] ?? {})} onSaved={saved} />
        <SchemaForm
          schema={schema}
          root={section.schema}
          value={draft}
          onChange={(next: Output) => entry.write({ ...next, kind })}
          problems={section.problems}
          base={entry.base}
          hide={["/kind"]}
          brief={BRIEF[kind]}
          order={BRIEF[kind]}
          values={{ SignalingLED: t("signaling"), AudioLED: t("audio_led"), dark: t("dark"), leave: t("leave_as_is") }}
          entry={(path, one, n) => (path === "/lines" ? t("tower_lamp", { n: n + 1, line: String((one as TowerLine).line) }) : uiWords("entry", { n: n + 1 }))}
        />
        <div class="form-foot">
          <Button onClick={leave}>{t("cancel")}</Button>
          <Button kind="primary" type="submit" busy={section.saving}>{t("save")}</Button>
        </div>
      </Form>
    </Dialog>
  );
}

/** What the device's schema calls each kind. */
const CLASSES: Record<Kind, string> = { virtual: "Virtual", none: "Nowhere", log: "Log", ddp: "Ddp", e131: "E131", artnet: "ArtNet", ws2812: "Ws2812", gpio: "Tower" };

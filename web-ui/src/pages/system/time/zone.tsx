// The time zone, found by a few letters (TIM-03).

import type { Section } from "../../../settings";
import { Button, Card, Form, TextField, toast, useDraft } from "../../../ui";
import { useTold } from "../told";
import type { Device } from ".";
import { browserZone, type ClockTold, timeIn, zonesLike } from "./zones";
import { t } from "./words";

const SHOWN = 8; // zones that fit

export function Zone({ section, clock }: { section: Section<Device>; clock: ClockTold | null }) {
  const stored = section.value!.time_zone;
  const zones = useTold<{ zones: string[] }>("/time-zones").value?.zones ?? [];
  const entered = useDraft(section);
  const draft = entered.value.time_zone ?? null;
  const may = section.may("/time_zone");
  const text = draft ?? stored;
  const edit = (zone: string): void => entered.write(zone === stored ? {} : { time_zone: zone });
  const save = async (): Promise<void> => {
    if (await entered.save()) toast(t("saved"), "good");
  };
  const wrong = draft === null ? "" : section.problems.map(({ message }) => message).join("; ");
  const system = clock?.zone_by === "system" ? clock.zone : "";
  const hint = text ? t("zoneHint") : `${t("zoneHint")} ${system ? t("zoneEmptyIs", { zone: system }) : t("zoneEmpty")}`;
  return (
    <Card title={t("zone")} class="time-zone">
      <Form class="stack" label={t("zone")} onSubmit={() => void save()}>
        {entered.notice}
        <TextField name="time_zone" label={t("zoneLabel")} hint={hint} error={wrong} value={text} onChange={edit} disabled={!may} maxLength={64} placeholder={system} />
        {draft && zones.length > 0 && <Fitting text={draft} zones={zones} onChoose={edit} />}
        {may && (
          <div class="row">
            {browserZone() !== text && <Button small icon="locate" onClick={() => edit(browserZone())}>{t("ofBrowser", { zone: browserZone() })}</Button>}
            {text !== "" && <Button small onClick={() => edit("")}>{t("ofSystem")}</Button>}
          </div>
        )}
        {draft !== null && (
          <div class="form-foot">
            <Button onClick={entered.forget}>{t("cancel")}</Button>
            <Button kind="primary" type="submit" busy={section.saving}>{t("save")}</Button>
          </div>
        )}
      </Form>
    </Card>
  );
}

/** What time it is there; or, where what is typed names no zone, those that it may mean. */
function Fitting({ text, zones, onChoose }: { text: string; zones: readonly string[]; onChoose: (zone: string) => void }) {
  if (zones.includes(text)) return <p aria-live="polite">{t("there", { time: timeIn(text, Date.now()) })}</p>;
  const fit = zonesLike(text, zones);
  if (!fit.length) return <p class="hint" aria-live="polite">{t("noZone")}</p>;
  return (
    <div>
      <ul class="time-zones" aria-label={t("found")}>
        {fit.slice(0, SHOWN).map((zone) => (
          <li key={zone}>
            <button type="button" onClick={() => onChoose(zone)}>
              <span>{zone.replaceAll("_", " ")}</span>
              <small>{timeIn(zone, Date.now())}</small>
            </button>
          </li>
        ))}
      </ul>
      <p class="hint" aria-live="polite">{fit.length > SHOWN && t("moreFit", { n: fit.length - SHOWN })}</p>
    </div>
  );
}

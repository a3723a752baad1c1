// The fields of a light and of a siren.

import { useEffect, useRef, useState } from "preact/hooks";
import type { FieldProblem } from "../../types";
import { Button, IconButton, join, vars } from "../../ui/basics";
import { Field, NumberField, Select, Slider, Toggle } from "../../ui/fields";
import { CLIP, patternWords } from "../../ui/pattern_words";
import { told } from "../../words";
import { fitted, freshLight, freshSiren, type Duration, type Light, type Parts, type Siren } from "./model";
import { t } from "./words";

export const problemOf = (problems: readonly FieldProblem[], path: string): string | undefined =>
  problems.filter((one) => one.path === path || one.path.startsWith(`${path}/`)).map(({ message }) => message).join("; ") || undefined;

interface PartProps<T> {
  value: T | null | undefined;
  onChange: (value: T | null) => void;
  parts: Parts;
  problems: readonly FieldProblem[];
}

export function LightFields({ value, onChange, parts, problems }: PartProps<Light>) {
  const last = useRef(value);
  if (value) last.current = value;
  const pattern = parts.light.find(({ name }) => name === value?.pattern);
  const names = Object.keys(parts.colors);
  return (
    <fieldset class="profiles-part">
      <legend class="hidden">{t("light")}</legend>
      <Toggle label={t("light")} checked={Boolean(value)} onChange={(on) => onChange(on ? (last.current ?? freshLight(parts)) : null)} />
      {value && (
        <>
          <Select
            label={t("pattern")}
            value={value.pattern}
            hint={pattern && told(pattern.words)}
            error={problemOf(problems, "/light/pattern")}
            choices={parts.light.map((one) => ({ value: one.name, label: one.speeds.some(({ warnings }) => warnings.some(({ code }) => code === "flash_rate")) ? `${patternWords(one.name)} ⚠` : patternWords(one.name) }))}
            onChange={(name) => onChange(fitted(value, parts.light.find((one) => one.name === name)!, names))}
          />
          {pattern && pattern.max_colors > 0 && <Colors light={value} onChange={onChange} min={pattern.min_colors} max={pattern.max_colors} known={parts.colors} error={problemOf(problems, "/light/colors")} />}
          {pattern && pattern.speeds.length > 1 && (
            <Select
              label={t("speed")}
              value={value.speed ?? pattern.default_speed}
              error={problemOf(problems, "/light/speed")}
              choices={pattern.speeds.map(({ speed, flashes_per_second, warnings }) => ({
                value: speed,
                label: `${speed} · ${flashes_per_second ? t("flashes", { n: flashes_per_second }) : t("steady")}${warnings.some(({ code }) => code === "flash_rate") ? " ⚠" : ""}`,
              }))}
              onChange={(speed) => onChange({ ...value, speed })}
            />
          )}
          <Common value={value} onChange={onChange} parts={parts} problems={problems} base="/light" />
          <Select label={t("where")} value={value.function ?? "SignalingLED"} error={problemOf(problems, "/light/function")} choices={parts.limits.functions.map((name) => ({ value: name as "SignalingLED" | "AudioLED", label: t(name as "SignalingLED" | "AudioLED") }))} onChange={(where) => onChange({ ...value, function: where })} />
        </>
      )}
    </fieldset>
  );
}

/** Which colours, in their order; each a row of dots to choose from. */
function Colors({ light, onChange, min, max, known, error }: { light: Light; onChange: (light: Light) => void; min: number; max: number; known: Record<string, string>; error: string | undefined }) {
  const colors = light.colors;
  const change = (at: number, color: string): void => onChange({ ...light, colors: colors.map((one, n) => (n === at ? color : one)) });
  const range = min === max ? t("colorsHint", { n: min }) : t("colorsRange", { low: min, high: max });
  return (
    <div class={join("field profiles-colors", error && "field-wrong")}>
      {max > 1 && <p class="hint">{range}</p>}
      {colors.map((color, at) => (
        <div class="row" key={at}>
          <ColorRow label={colors.length > 1 ? t("color", { n: at + 1 }) : t("colors")} value={color} known={known} onChange={(wanted) => change(at, wanted)} />
          {colors.length > min && <IconButton small icon="minus" label={`${t("remove")}: ${t("color", { n: at + 1 })}`} onClick={() => onChange({ ...light, colors: colors.filter((_, n) => n !== at) })} />}
        </div>
      ))}
      {colors.length < max && <Button small icon="plus" onClick={() => onChange({ ...light, colors: [...colors, Object.keys(known).find((one) => !colors.includes(one)) ?? "white"] })}>{t("addColor")}</Button>}
      <p class="error" role="alert">{error}</p>
    </div>
  );
}

let groups = 0;

function ColorRow({ label, value, known, onChange }: { label: string; value: string; known: Record<string, string>; onChange: (color: string) => void }) {
  const [group] = useState(() => `profile-color-${++groups}`);
  return (
    <fieldset class="profiles-dots">
      <legend>{label}: <b>{told(value)}</b></legend>
      {Object.entries(known).map(([name, paint]) => (
        <label key={name} title={told(name)} style={vars({ paint })}>
          <input type="radio" name={group} value={name} checked={name === value} aria-label={told(name)} onChange={() => onChange(name)} />
          <i aria-hidden="true" />
        </label>
      ))}
    </fieldset>
  );
}

export function SirenFields({ value, onChange, parts, problems }: PartProps<Siren>) {
  const last = useRef(value);
  if (value) last.current = value;
  const sound = parts.sounds.find(({ name }) => name === value?.pattern);
  return (
    <fieldset class="profiles-part">
      <legend class="hidden">{t("siren")}</legend>
      <Toggle label={t("siren")} checked={Boolean(value)} onChange={(on) => onChange(on ? (last.current ?? freshSiren(parts)) : null)} />
      {value && (
        <>
          <Field label={t("sound")} hint={sound && told(sound.words)} error={problemOf(problems, "/siren/pattern")}>
            {(control) => (
              <span class="profiles-sound">
                <select {...control} value={value.pattern} onChange={(event) => onChange({ ...value, pattern: event.currentTarget.value })}>
                  {!sound && <option value={value.pattern}>{patternWords(value.pattern)}</option>}
                  <optgroup label={t("builtIn")}>
                    {parts.sounds.filter(({ name }) => !name.startsWith(CLIP)).map(({ name }) => <option key={name} value={name} selected={name === value.pattern}>{patternWords(name)}</option>)}
                  </optgroup>
                  {parts.sounds.some(({ name }) => name.startsWith(CLIP)) && (
                    <optgroup label={t("ownClips")}>
                      {parts.sounds.filter(({ name }) => name.startsWith(CLIP)).map(({ name }) => <option key={name} value={name} selected={name === value.pattern}>{patternWords(name)}</option>)}
                    </optgroup>
                  )}
                </select>
                {sound?.url && <Listen url={sound.url} />}
              </span>
            )}
          </Field>
          <Common value={value} onChange={onChange} parts={parts} problems={problems} base="/siren" />
        </>
      )}
    </fieldset>
  );
}

/** A sound in this browser, until it is chosen otherwise. */
function Listen({ url }: { url: string }) {
  const [on, turn] = useState(false);
  const audio = useRef<HTMLAudioElement | null>(null);
  const end = (): void => {
    audio.current?.pause();
    audio.current = null;
    turn(false);
  };
  useEffect(() => end, [url]);
  const play = (): void => {
    audio.current = new Audio(url);
    audio.current.loop = true;
    audio.current.play().catch(end);
    turn(true);
  };
  return <Button small icon={on ? "stop" : "audio"} aria-pressed={on} onClick={on ? end : play}>{on ? t("quiet") : t("listen")}</Button>;
}

interface Shared {
  intensity: number;
  priority: number;
  duration?: Duration | null;
}

function Common<T extends Shared>({ value, onChange, parts, problems, base }: { value: T; onChange: (value: T) => void; parts: Parts; problems: readonly FieldProblem[]; base: string }) {
  const { limits } = parts;
  const unit = value.duration?.unit ?? "continuous";
  const max = unit === "seconds" ? limits.seconds : limits.repetitions;
  const last = limits.priorities.at(-1)!;
  const lasts = (wanted: string): void => onChange({ ...value, duration: wanted === "continuous" ? null : { unit: wanted as Duration["unit"], value: wanted === "seconds" ? 30 : 3 } });
  return (
    <>
      <Slider label={t("intensity")} min={limits.intensities[0]!} max={limits.intensities.at(-1)!} step={1} value={value.intensity} words={String} error={problemOf(problems, `${base}/intensity`)} onChange={(intensity) => onChange({ ...value, intensity })} />
      <Slider label={t("priority")} min={limits.priorities[0]!} max={last} step={1} value={value.priority} words={(n) => `${n}`} error={problemOf(problems, `${base}/priority`)} onChange={(priority) => onChange({ ...value, priority })} />
      <div class="profiles-lasting">
        <Select label={t("duration")} value={unit} choices={[{ value: "continuous", label: t("continuous") }, { value: "seconds", label: t("seconds") }, { value: "repetitions", label: t("repetitions") }]} onChange={lasts} />
        {value.duration && <NumberField label={t(value.duration.unit)} min={1} max={max} step={1} hint={t("secondsHint", { max })} value={value.duration.value} error={problemOf(problems, `${base}/duration`)} onChange={(n) => n !== null && onChange({ ...value, duration: { ...value.duration!, value: n } })} />}
      </div>
    </>
  );
}

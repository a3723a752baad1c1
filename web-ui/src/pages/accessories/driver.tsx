// What a port is wired to: nothing, or a GPIO line of the machine.

import { useState } from "preact/hooks";
import { Choose, NumberField, TextField } from "../../ui";
import { t } from "./words";

const GPIO = /^gpio:([^/]*)\/(\d*)$/;
const LAST_LINE = 9999;

interface Props {
  value: string;
  onChange: (value: string) => void;
  error: string | undefined;
  disabled: boolean;
}

export function Driver({ value, onChange, error, disabled }: Props) {
  const [, chip = "gpiochip0", digits = ""] = GPIO.exec(value) ?? [];
  const wired = value !== "none";
  const [before, keep] = useState<number | null>(null); // for who comes back from "nothing"
  const line = wired ? (digits ? Number(digits) : null) : before;
  const told = (next: number | null, of = chip): void => onChange(`gpio:${of}/${next ?? ""}`);
  return (
    <div class="accessories-driver" data-field="/driver">
      <Choose
        label={t("driver")}
        value={wired ? "gpio" : "none"}
        disabled={disabled}
        error={wired ? undefined : error}
        choices={[{ value: "none", label: t("driver_none") }, { value: "gpio", label: t("driver_gpio") }]}
        onChange={(kind) => (kind === "none" ? (keep(line), onChange("none")) : told(line))}
      />
      {wired ? (
        <div class="accessories-line">
          <TextField label={t("chip")} hint={t("chip_hint")} value={chip} disabled={disabled} onChange={(next) => told(line, next)} />
          <NumberField label={t("line")} hint={t("line_hint")} value={line} min={0} max={LAST_LINE} step={1} disabled={disabled} error={error} onChange={(next) => told(next)} />
        </div>
      ) : (
        <p class="hint">{t("driver_hint")}</p>
      )}
    </div>
  );
}

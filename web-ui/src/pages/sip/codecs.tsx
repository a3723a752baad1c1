// The codecs of an account in their order, by drag, arrows or buttons; those that are left out below.

import { Button, IconButton, Reorder } from "../../ui";
import { codecName } from "../calls/model";
import { t } from "./words";

export const CODECS = ["opus", "G722", "PCMU", "PCMA", "G726-32", "L16/16000", "L16/8000", "L16/48000"] as const;
type Codec = (typeof CODECS)[number];

const hintOf = (codec: string): string => ((CODECS as readonly string[]).includes(codec) ? t(`codec_${codec as Codec}`) : "");

export function Codecs({ value, onChange, error, disabled }: { value: readonly string[]; onChange: (codecs: string[]) => void; error?: string | undefined; disabled?: boolean }) {
  const unused = CODECS.filter((codec) => !value.includes(codec));
  const put = (from: number, to: number): void => {
    const next = [...value];
    next.splice(to, 0, ...next.splice(from, 1));
    onChange(next);
  };
  return (
    <fieldset class="schema-group sip-codecs" data-field="/codecs">
      <legend>{t("codecs")}</legend>
      <p class="hint">{t("codecs_hint")}</p>
      <p class="error" role="alert">{error}</p>
      <Reorder items={value} itemKey={(codec) => codec} name={codecName} label={t("codecs")} disabled={disabled ?? false} onMove={onChange}>
        {(codec, at) => (
          <div class="sip-codec">
            <strong>{codecName(codec)}</strong>
            <small>{hintOf(codec)}</small>
            {!disabled && (
              <span class="sip-acts">
                <IconButton small icon="up" label={t("move_up", { name: codecName(codec) })} disabled={at === 0} onClick={() => put(at, at - 1)} />
                <IconButton small icon="down" label={t("move_down", { name: codecName(codec) })} disabled={at === value.length - 1} onClick={() => put(at, at + 1)} />
                <IconButton small icon="minus" label={value.length === 1 ? t("codec_last") : t("codec_leave", { codec: codecName(codec) })} disabled={value.length === 1} onClick={() => onChange(value.filter((one) => one !== codec))} />
              </span>
            )}
          </div>
        )}
      </Reorder>
      {!disabled && unused.length > 0 && (
        <p class="sip-unused">
          <small>{t("codecs_unused")}</small>
          {unused.map((codec) => (
            <Button key={codec} small icon="plus" aria-label={t("codec_use", { codec: codecName(codec) })} title={hintOf(codec)} onClick={() => onChange([...value, codec])}>
              {codecName(codec)}
            </Button>
          ))}
        </p>
      )}
    </fieldset>
  );
}

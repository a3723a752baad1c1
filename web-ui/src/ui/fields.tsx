// Fields: a label, a control, what it means, and what is wrong with what was entered.

import { h, type ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { number } from "../words";
import { IconButton, join } from "./basics";
import { t } from "./words";

export interface FieldProps {
  label: ComponentChildren;
  hint?: ComponentChildren;
  error?: string | undefined;
  hideLabel?: boolean; // only for those who hear the page
  inline?: boolean; // the label beside the control
  /** Gets what its control must have to belong to this field. */
  children: (control: Control) => ComponentChildren;
  class?: string;
  name?: string; // data-field, for tests and for the first error
}

export interface Control {
  id: string;
  "aria-describedby": string | undefined;
  "aria-invalid": "true" | undefined;
}

export function Field({ label, hint, error, hideLabel, inline, children, class: name, name: field }: FieldProps) {
  const id = useId();
  const described = join(hint ? `${id}-hint` : "", error ? `${id}-error` : "");
  return (
    <div class={join("field", inline && "field-inline", error && "field-wrong", name)} data-field={field}>
      <label for={id} class={hideLabel ? "hidden" : undefined}>
        {label}
      </label>
      {children({ id, "aria-describedby": described || undefined, "aria-invalid": error ? "true" : undefined })}
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      <p class="error" id={`${id}-error`} role="alert">
        {error}
      </p>
    </div>
  );
}

type About = Omit<FieldProps, "children">;
const PLAIN = { autocomplete: "off", autocapitalize: "none", spellcheck: false } as const;

function split<T extends About>(props: T): [About, Omit<T, keyof About>] {
  const { label, hint, error, hideLabel, inline, class: name, name: field, ...rest } = props;
  return [{ label, hint, error, hideLabel, inline, class: name, name: field }, rest];
}

export interface TextFieldProps extends About {
  value: string;
  onChange: (value: string) => void; // at each key
  type?: "text" | "password" | "email" | "url" | "search" | "tel";
  unit?: string; // behind the field
  rows?: number; // more than one: a text of several lines
  placeholder?: string;
  required?: boolean;
  disabled?: boolean;
  readOnly?: boolean;
  maxLength?: number;
  autocomplete?: string;
  list?: string[]; // proposals
  inputMode?: "text" | "numeric" | "decimal" | "tel" | "email" | "url" | "search";
  onBlur?: () => void;
  autoFocus?: boolean;
}

export function TextField(props: TextFieldProps) {
  const [about, { value, onChange, type = "text", unit, rows, list, autoFocus, ...native }] = split(props);
  const proposals = useId();
  const place = useFocus<HTMLInputElement & HTMLTextAreaElement>(autoFocus);
  const write = (event: Event): void => onChange((event.currentTarget as HTMLInputElement).value);
  return (
    <Field {...about}>
      {(control) =>
        rows && rows > 1 ? (
          <textarea {...PLAIN} {...(native as object)} {...control} ref={place} rows={rows} value={value} onInput={write} />
        ) : (
          <span class={join("input", unit && "with-unit", type === "password" && "with-button")}>
            <Text {...PLAIN} {...(native as object)} {...control} type={type} value={value} onInput={write} list={list && proposals} inputRef={place} autofocus={autoFocus} />
            {unit && <span class="unit" aria-hidden="true">{unit}</span>}
            {list && (
              <datalist id={proposals}>
                {list.slice(0, 200).map((one) => (
                  <option key={one} value={one} />
                ))}
              </datalist>
            )}
          </span>
        )
      }
    </Field>
  );
}

function useFocus<T extends HTMLElement>(wanted: boolean | undefined) {
  const place = useRef<T>(null);
  useEffect(() => {
    if (wanted) place.current?.focus();
  }, [wanted]);
  return place;
}

interface TextProps {
  type: NonNullable<TextFieldProps["type"]>;
  value: string;
  onInput: (event: Event) => void;
  list: string | undefined;
  inputRef: { current: HTMLInputElement | null };
  disabled?: boolean;
  autofocus?: boolean | undefined; // for a dialog, which looks for it when it opens
}

/** An input whose password can be looked at. */
function Text({ type, inputRef, ...more }: TextProps) {
  const [open, show] = useState(false);
  return (
    <>
      {h("input", { ...more, ref: inputRef, type: type === "password" && open ? "text" : type } as object)}
      {type === "password" && !more.disabled && <IconButton small icon="eye" label={t("showPassword")} aria-pressed={open} onClick={() => show(!open)} />}
    </>
  );
}

export interface NumberFieldProps extends About {
  value: number | null;
  onChange: (value: number | null) => void; // null: emptied, where that may be
  min?: number;
  max?: number;
  step?: number | "any";
  unit?: string;
  nullable?: boolean;
  disabled?: boolean;
  placeholder?: string;
  read?: (text: string) => number | null; // of what people write beside plain numbers; null: it is none
}

/** A number. What is none, or out of range, stays to be seen with what is allowed, blocks the form
 *  around it (`Form`), and is not told. */
export function NumberField(props: NumberFieldProps) {
  const [about, { value, onChange, min, max, step, unit, nullable, read: others, ...native }] = split(props);
  const number = (entered: string): number | null => readNumber(entered) ?? others?.(entered) ?? null;
  const [text, type] = useState(value === null ? "" : String(value));
  const [wrong, complain] = useState("");
  const input = useRef<HTMLInputElement>(null);
  const last = useRef(value);
  if (last.current !== value) {
    last.current = value; // changed from elsewhere, or by what was just typed
    if (number(text) !== value) type(value === null ? "" : String(value));
    if (wrong) complain("");
  }
  const judge = (entered: string): string => {
    if (entered.trim() === "") return nullable ? "" : t("required");
    const read = number(entered);
    if (read === null) return t("notNumber");
    if (step === 1 && !Number.isInteger(read)) return t("notWhole");
    const range = rangeWords(min, max);
    return (min !== undefined && read < min) || (max !== undefined && read > max) ? t("outOf", { words: range }) : "";
  };
  const write = (event: Event): void => {
    const entered = (event.currentTarget as HTMLInputElement).value;
    type(entered);
    const words = judge(entered);
    input.current?.setCustomValidity(words);
    if (words) return;
    complain("");
    last.current = number(entered);
    onChange(last.current);
  };
  return (
    <Field {...about} error={wrong || about.error}>
      {(control) => (
        <span class={join("input", "input-number", unit && "with-unit")}>
          <input {...PLAIN} {...native} {...control} ref={input} inputMode={others ? "text" : step === 1 && (min ?? -1) >= 0 ? "numeric" : "decimal"} value={text} onInput={write} onBlur={() => complain(judge(text))} onInvalid={() => complain(judge(text))} onKeyDown={({ key }) => key === "Enter" && complain(judge(text))} />
          {unit && <span class="unit" aria-hidden="true">{unit}</span>}
        </span>
      )}
    </Field>
  );
}

function readNumber(text: string): number | null {
  const plain = text.trim().replace("−", "-").replace(",", ".");
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain) ? Number(plain) : null;
}

const LONG = 100_000; // from here on digits are grouped: ports and years are not

/** What a number may be, in words. */
export function rangeWords(min?: number, max?: number): string {
  const limit = (value: number): string => (Number.isInteger(value) && Math.abs(value) < LONG ? String(value).replace("-", "−") : number(value));
  if (min !== undefined && max !== undefined) return t("between", { low: limit(min), high: limit(max) });
  if (min !== undefined) return t("atLeast", { low: limit(min) });
  return max !== undefined ? t("atMost", { high: limit(max) }) : "";
}

export interface Choice<T = string> {
  value: T;
  label: string;
  hint?: string;
  disabled?: boolean;
}

export interface SelectProps<T> extends About {
  value: T;
  onChange: (value: T) => void;
  choices: readonly (Choice<T> | (T & string))[];
  disabled?: boolean;
}

const choiceOf = <T,>(choice: Choice<T> | (T & string)): Choice<T> => (typeof choice === "object" && choice !== null ? (choice as Choice<T>) : { value: choice as T, label: String(choice) });

/** One of some values, of any type. A value that is not among them is shown as it is. */
export function Select<T>(props: SelectProps<T>) {
  const [about, { value, onChange, choices, ...native }] = split(props);
  const offered = choices.map(choiceOf<T>);
  const key = (one: T): string => JSON.stringify(one) ?? "null";
  if (!offered.some((one) => key(one.value) === key(value))) offered.unshift({ value, label: value === null || value === undefined || value === "" ? "–" : String(value) });
  return (
    <Field {...about}>
      {(control) => (
        <select {...native} {...control} value={key(value)} onChange={(event) => onChange(offered.find((one) => key(one.value) === event.currentTarget.value)!.value)}>
          {offered.map((one) => (
            <option key={key(one.value)} value={key(one.value)} disabled={one.disabled} selected={key(one.value) === key(value)}>
              {one.label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

/** On or off. */
export function Toggle({ label, hint, error, checked, onChange, disabled, hideLabel, name }: { label: ComponentChildren; hint?: ComponentChildren; error?: string; checked: boolean; onChange: (on: boolean) => void; disabled?: boolean; hideLabel?: boolean; name?: string }) {
  const id = useId();
  return (
    <div class={join("field field-toggle", error && "field-wrong")} data-field={name}>
      <label class="toggle">
        <input type="checkbox" role="switch" checked={checked} disabled={disabled} aria-describedby={join(hint ? `${id}-hint` : "", error ? `${id}-error` : "") || undefined} onChange={(event) => onChange(event.currentTarget.checked)} />
        <span class="toggle-track" aria-hidden="true" />
        <span class={hideLabel ? "hidden" : "toggle-words"}>{label}</span>
      </label>
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      <p class="error" id={`${id}-error`} role="alert">
        {error}
      </p>
    </div>
  );
}

export interface SliderProps extends About {
  value: number;
  onChange: (value: number) => void; // while it moves
  onDone?: (value: number) => void; // when it stands still
  min: number;
  max: number;
  step?: number;
  words?: (value: number) => string; // "−6 dB"
  disabled?: boolean;
}

/** A number by hand, where about is enough. */
export function Slider(props: SliderProps) {
  const [about, { value, onChange, onDone, words = number, ...native }] = split(props);
  const share = (value - native.min) / (native.max - native.min || 1);
  const read = (event: Event): number => Number((event.currentTarget as HTMLInputElement).value);
  return (
    <Field {...about} class={join("field-slider", about.class)}>
      {(control) => (
        <span class="slider">
          <input {...native} {...control} type="range" value={value} aria-valuetext={words(value)} style={{ "--share": String(share) }} onInput={(event) => onChange(read(event))} onChange={(event) => onDone?.(read(event))} />
          <span class="slider-words" aria-hidden="true">{words(value)}</span>
        </span>
      )}
    </Field>
  );
}

/** Some of a few values, as boxes. */
export function Checks<T extends string>({ label, hint, error, values, onChange, choices, disabled, name }: { label: string; hint?: ComponentChildren; error?: string; values: readonly T[]; onChange: (values: T[]) => void; choices: readonly (Choice<T> | T)[]; disabled?: boolean; name?: string }) {
  const id = useId();
  const offered = choices.map((one) => choiceOf<T>(one as Choice<T>));
  const turn = (value: T, on: boolean): void => onChange(offered.map((one) => one.value).filter((one) => (one === value ? on : values.includes(one))));
  return (
    <fieldset class={join("field checks", error && "field-wrong")} data-field={name} disabled={disabled} aria-describedby={error ? `${id}-error` : undefined}>
      <legend>{label}</legend>
      <div class="checks-row">
        {offered.map((one) => (
          <label key={one.value} class="check">
            <input type="checkbox" checked={values.includes(one.value)} onChange={(event) => turn(one.value, event.currentTarget.checked)} />
            {one.label}
          </label>
        ))}
      </div>
      {hint && <p class="hint">{hint}</p>}
      <p class="error" id={`${id}-error`} role="alert">
        {error}
      </p>
    </fieldset>
  );
}

/** One of a few values, side by side. */
export function Choose<T extends string>({ label, value, onChange, choices, hideLabel, disabled, error }: { label: string; value: T; onChange: (value: T) => void; choices: readonly (Choice<T> | T)[]; hideLabel?: boolean; disabled?: boolean; error?: string }) {
  const id = useId();
  return (
    <fieldset class="field choose" disabled={disabled}>
      <legend class={hideLabel ? "hidden" : undefined}>{label}</legend>
      <div class="choose-row">
        {choices.map((one) => {
          const { value: its, label: words, disabled: not } = choiceOf<T>(one as Choice<T>);
          return (
            <label key={its}>
              <input type="radio" name={id} checked={its === value} disabled={not} onChange={() => onChange(its)} />
              <span>{words}</span>
            </label>
          );
        })}
      </div>
      <p class="error" role="alert">
        {error}
      </p>
    </fieldset>
  );
}

/** A form that is sent only when its fields are in order; the first that is not gets the focus. */
export function Form({ onSubmit, children, class: name, label }: { onSubmit: () => void; children: ComponentChildren; class?: string; label?: string }) {
  const submit = (event: Event): void => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    if (form.checkValidity()) onSubmit();
    else form.querySelector<HTMLElement>(":is(input, select, textarea):invalid")?.focus();
  };
  return (
    <form class={name} noValidate onSubmit={submit} aria-label={label}>
      {children}
    </form>
  );
}

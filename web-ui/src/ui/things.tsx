// Times, levels, files and texts to copy.

import { signal } from "@preact/signals";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { deviceNow, wallAt } from "../live";
import { bytes, clock, dateTime, level as levelWords, seconds, span, when } from "../words";
import { Button, IconButton, join } from "./basics";
import { Icon } from "./icon";
import { announce } from "./toast";
import { t } from "./words";

/** Counts up four times a second while something that shows the time is in the page. */
const beat = signal(0);
let beating = 0;
let beats: ReturnType<typeof setInterval> | undefined;

/** Render again four times a second. */
export function useTick(): void {
  useEffect(() => {
    if (beating++ === 0) beats = setInterval(() => beat.value++, 250);
    return () => {
      if (--beating === 0) clearInterval(beats);
    };
  }, []);
  void beat.value;
}

/** An instant: of the calendar (`wall`), or of the device's clock (`at`). */
export function Time({ wall, at, full, seconds: exact }: { wall?: string | number | Date; at?: number; full?: boolean; seconds?: boolean }) {
  const date = wall !== undefined ? new Date(wall) : wallAt(at ?? 0);
  const words = full ? dateTime(date) : exact ? clock(date) : when(date);
  return (
    <time dateTime={date.toISOString()} title={dateTime(date)}>
      {words}
    </time>
  );
}

/** A length of time; `until` an instant of the device's clock, or `since` one, it counts. */
export function Duration({ value, until, since }: { value?: number; until?: number; since?: number }) {
  if (value !== undefined) return <span class="figures">{seconds(value)}</span>;
  return <Counting until={until} since={since} />;
}

function Counting({ until, since }: { until?: number | undefined; since?: number | undefined }) {
  useTick();
  const now = deviceNow();
  return <span class="figures" role="timer">{span(until !== undefined ? until - now : now - (since ?? now))}</span>; // not read out as it counts
}

/** How loud something is, −60…0 dB of full scale. */
export function Meter({ value, peak, label, small }: { value: number; peak?: number; label: string; small?: boolean }) {
  const share = (db: number): number => Math.min(1, Math.max(0, (db + 60) / 60));
  const words = value > -90 ? levelWords(value) : t("silence");
  return (
    <div class={join("meter", small && "meter-small")} role="meter" aria-label={label} aria-valuemin={-60} aria-valuemax={0} aria-valuenow={Math.round(Math.max(-60, value))} aria-valuetext={words} title={words} style={{ "--share": String(share(value)), "--peak": String(peak === undefined ? 0 : share(peak)) }}>
      <i />
      {peak !== undefined && <b />}
    </div>
  );
}

/** A text with a button that copies it. */
export function CopyText({ text, label }: { text: string; label?: string }) {
  const [done, say] = useState(false);
  const copy = async (): Promise<void> => {
    await write(text);
    say(true);
    announce(t("copied"));
    setTimeout(() => say(false), 1500);
  };
  return (
    <span class="copy-text">
      <code>{text}</code>
      <IconButton small icon={done ? "check" : "copy"} label={label ?? t("copy")} onClick={() => void copy()} />
    </span>
  );
}

async function write(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea"); // without TLS there is no clipboard to write to
  area.value = text;
  (document.querySelector("dialog[open]") ?? document.body).append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

/** A place for files: dropped, or chosen. `accept` as of an input; `max` bytes each. */
export function FileDrop({ onFiles, accept, multiple, max, label, hint, disabled, busy }: { onFiles: (files: File[]) => void; accept?: string; multiple?: boolean; max?: number; label: string; hint?: string; disabled?: boolean; busy?: boolean }) {
  const input = useRef<HTMLInputElement>(null);
  const [over, hover] = useState(false);
  const [wrong, complain] = useState("");
  const id = useId();
  const take = (list: FileList | null | undefined): void => {
    const files = [...(list ?? [])].slice(0, multiple ? undefined : 1);
    const large = files.find((file) => max !== undefined && file.size > max);
    complain(large ? t("tooLarge", { name: large.name, size: bytes(large.size), limit: bytes(max!) }) : "");
    if (files.length && !large) onFiles(files);
  };
  return (
    <div
      class={join("file-drop", over && "file-drop-over")}
      onDragOver={(event) => (event.preventDefault(), hover(!disabled))}
      onDragLeave={() => hover(false)}
      onDrop={(event) => {
        event.preventDefault();
        hover(false);
        if (!disabled) take(event.dataTransfer?.files);
      }}
    >
      <Icon name="upload" size={24} />
      <span>{t(multiple ? "dropSeveral" : "drop")}</span>
      <input ref={input} class="hidden" tabIndex={-1} aria-hidden="true" type="file" aria-label={label} accept={accept} multiple={multiple} disabled={disabled} onChange={(event) => (take(event.currentTarget.files), (event.currentTarget.value = ""))} />
      <Button disabled={disabled} busy={busy} aria-label={`${label}: ${t(multiple ? "chooseSeveral" : "choose")}`} aria-describedby={hint ? `${id}-hint` : undefined} onClick={() => input.current?.click()}>
        {t(multiple ? "chooseSeveral" : "choose")}
      </Button>
      <p class="hint" id={`${id}-hint`}>
        {hint}
      </p>
      <p class="error" role="alert">
        {wrong}
      </p>
    </div>
  );
}

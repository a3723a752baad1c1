// Windows over the page, questions that ask back, and menus.

import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { unsaved, useGuard } from "../router";
import { Button, IconButton, join } from "./basics";
import { Icon, type IconName } from "./icon";
import { Toasts, windows } from "./toast";
import { t } from "./words";

export interface DialogProps {
  title: ComponentChildren;
  onClose: () => void; // by Escape, by the cross; the owner then shows it no more
  children: ComponentChildren;
  footer?: ComponentChildren;
  wide?: boolean;
  fixed?: boolean; // cannot be closed without an answer
}

/** Shown while it is rendered; the focus goes in, and back when it ends. */
export function Dialog({ title, onClose, children, footer, wide, fixed }: DialogProps) {
  const place = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    const dialog = place.current!;
    dialog.showModal();
    windows.value = [...windows.peek(), id];
    return () => {
      windows.value = windows.peek().filter((one) => one !== id);
      dialog.close();
      before?.focus?.();
    };
  }, []);
  const closed = (): void => {
    if (!place.current || place.current.open) return; // by its owner
    place.current.showModal(); // Chromium closes it at one of several Escapes in a row, whoever prevents it
    if (!fixed) onClose();
  };
  return (
    <dialog
      ref={place}
      class={join("dialog", wide && "dialog-wide")}
      aria-labelledby={id}
      onCancel={(event) => {
        if (!event.cancelable) return; // it is closed, and that is told of
        event.preventDefault();
        if (!fixed && event.target === place.current) onClose();
      }}
      onClose={closed}
    >
      <header class="dialog-head">
        <h2 id={id}>{title}</h2>
        {!fixed && <IconButton icon="close" label={t("close")} onClick={onClose} />}
      </header>
      <div class="dialog-body">{children}</div>
      {footer && <footer class="dialog-foot">{footer}</footer>}
      <Toasts window={id} />
    </dialog>
  );
}

export interface Question {
  title: string;
  words?: ComponentChildren; // what will happen
  action?: string; // on the button that does it
  cancel?: string;
  danger?: boolean;
}

type Asked = Question & { answer: (yes: boolean) => void };
const asked = signal<Asked | null>(null);

function settle(question: Asked, yes: boolean): void {
  if (asked.peek() === question) asked.value = null;
  question.answer(yes);
}

/** Ask back; true when people agree. */
export function confirm(question: Question): Promise<boolean> {
  asked.value?.answer(false);
  return new Promise((answer) => {
    asked.value = { ...question, answer };
  });
}

/** Whether to leave what is not saved: asked while there is any, and no longer. */
export async function mayLeave(): Promise<boolean> {
  if (unsaved.peek() === 0) return true;
  const answered = confirm({ title: t("leaveTitle"), words: t("leave"), action: t("leaveAction"), cancel: t("stay"), danger: true });
  const question = asked.peek()!;
  const end = unsaved.subscribe((places) => places === 0 && settle(question, true)); // it was being saved
  return answered.finally(end);
}

/** For a window with fields: what leaves it by Escape, the cross or a button, and asks while something is
 *  entered there. Another address asks as well. */
export function useLeave(entered: boolean, close: () => void): () => void {
  useGuard(entered);
  const leave = async (): Promise<void> => {
    if (!entered || (await mayLeave())) close();
  };
  return () => void leave();
}

/** Where `confirm` asks; once in the page. */
export function Questions() {
  const question = asked.value;
  if (question === null) return null;
  return <Confirm {...question} onAnswer={(yes) => settle(question, yes)} />;
}

export function Confirm({ title, words, action, cancel, danger, onAnswer }: Question & { onAnswer: (yes: boolean) => void }) {
  return (
    <Dialog
      title={title}
      onClose={() => onAnswer(false)}
      footer={
        <>
          <Button onClick={() => onAnswer(false)}>{cancel ?? t("cancel")}</Button>
          <Button kind={danger ? "danger" : "primary"} onClick={() => onAnswer(true)}>
            {action ?? t("ok")}
          </Button>
        </>
      }
    >
      {words}
    </Dialog>
  );
}

export interface MenuItem {
  label: string;
  icon?: IconName;
  checked?: boolean; // one of several
  danger?: boolean;
  disabled?: boolean;
  onSelect: () => void;
}

/** A button with a list of actions: arrows, Home, End, Escape, first letters. */
export function Menu({ label, icon, items, children, hideLabel, class: name }: { label: string; icon?: IconName; items: (MenuItem | "line")[]; children?: ComponentChildren; hideLabel?: boolean; class?: string }) {
  const [open, show] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const id = useId();
  const entries = (): HTMLElement[] => [...(list.current?.querySelectorAll<HTMLElement>("[role^=menuitem]:not([disabled])") ?? [])];
  const close = (): void => {
    show(false);
    place.current?.querySelector("button")?.focus();
  };
  useLayoutEffect(() => {
    if (!open) return undefined;
    (entries().find((one) => one.ariaChecked === "true") ?? entries()[0])?.focus();
    const outside = (event: Event): void => {
      if (!place.current?.contains(event.target as Node)) show(false);
    };
    addEventListener("pointerdown", outside);
    addEventListener("focusin", outside);
    return () => {
      removeEventListener("pointerdown", outside);
      removeEventListener("focusin", outside);
    };
  }, [open]);
  const key = (event: KeyboardEvent): void => {
    const all = entries();
    const at = all.indexOf(document.activeElement as HTMLElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === "Escape" || event.key === "Tab") close();
    else if (next !== undefined) all[(next + all.length) % all.length]?.focus();
    else if (event.key.length === 1) all.find((one) => one.textContent?.toLowerCase().startsWith(event.key.toLowerCase()))?.focus();
    if (next !== undefined || event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
    }
  };
  return (
    <div class={join("menu", name)} ref={place}>
      <button type="button" class={join("button button-quiet", hideLabel && "icon-button")} aria-haspopup="menu" aria-expanded={open} aria-controls={open ? id : undefined} aria-label={hideLabel ? label : undefined} title={hideLabel ? label : undefined} onClick={() => show(!open)} onKeyDown={(event) => event.key === "ArrowDown" && (event.preventDefault(), show(true))}>
        {icon && <Icon name={icon} />}
        {!hideLabel && (children ?? label)}
      </button>
      {open && (
        <div class="menu-list" role="menu" id={id} aria-label={label} ref={list} onKeyDown={key}>
          {items.map((item, n) =>
            item === "line" ? (
              <hr key={n} role="separator" />
            ) : (
              <button key={n} type="button" role={item.checked === undefined ? "menuitem" : "menuitemradio"} aria-checked={item.checked} tabIndex={-1} disabled={item.disabled} class={join("menu-item", item.danger && "menu-danger")} onClick={() => (close(), item.onSelect())}>
                {item.icon ? <Icon name={item.icon} size={18} /> : item.checked !== undefined && <span class="menu-mark">{item.checked && <Icon name="check" size={18} />}</span>}
                {item.label}
              </button>
            ),
          )}
        </div>
      )}
    </div>
  );
}

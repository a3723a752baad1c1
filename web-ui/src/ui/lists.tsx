// Tabs, tables, and lists whose order matters.

import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Button, IconButton, join } from "./basics";
import { Icon } from "./icon";
import { announce } from "./toast";
import { t } from "./words";

export interface Tab {
  key: string;
  label: ComponentChildren;
  content: () => ComponentChildren;
}

/** Pages of a page; arrows go from one to the next. */
export function Tabs({ tabs, label, selected, onSelect }: { tabs: readonly Tab[]; label: string; selected?: string; onSelect?: (key: string) => void }) {
  const [own, choose] = useState(tabs[0]?.key);
  const id = useId();
  const shown = tabs.find(({ key }) => key === (selected ?? own)) ?? tabs[0];
  useLayoutEffect(() => {
    const tab = document.getElementById(`${id}-${shown?.key}`); // seen whole, where they have no room
    if (tab?.parentElement) tab.parentElement.scrollLeft = tab.offsetLeft - tab.parentElement.offsetLeft - (tab.parentElement.clientWidth - tab.offsetWidth) / 2;
  }, [id, shown?.key]);
  const select = (key: string): void => (choose(key), onSelect?.(key));
  const move = (event: KeyboardEvent): void => {
    const at = tabs.findIndex(({ key }) => key === shown?.key);
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    const tab = tabs[(next + tabs.length) % tabs.length]!;
    select(tab.key);
    document.getElementById(`${id}-${tab.key}`)?.focus();
  };
  return (
    <div class="tabs">
      <div class="tabs-list" role="tablist" aria-label={label} onKeyDown={move}>
        {tabs.map(({ key, label: words }) => (
          <button key={key} id={`${id}-${key}`} type="button" role="tab" aria-selected={key === shown?.key} aria-controls={`${id}-panel`} tabIndex={key === shown?.key ? 0 : -1} onClick={() => select(key)}>
            {words}
          </button>
        ))}
      </div>
      <div id={`${id}-panel`} role="tabpanel" aria-labelledby={`${id}-${shown?.key}`} key={shown?.key}>
        {shown?.content()}
      </div>
    </div>
  );
}

export interface Column<T> {
  key: string;
  title: string;
  cell: (row: T) => ComponentChildren;
  align?: "end";
  narrow?: boolean; // as small as its content
  hideTitle?: boolean; // for columns of buttons
}

const ROWS_MAX = 200; // in the page at a time

/** Rows with the same columns; on a phone each row is a card. Above 200 rows it has pages. */
export function Table<T>({ columns, rows, rowKey, caption, empty, rowLabel, class: name }: { columns: readonly Column<T>[]; rows: readonly T[]; rowKey: (row: T) => string | number; caption: string; empty?: ComponentChildren; rowLabel?: (row: T) => string; class?: string }) {
  const [page, turn] = useState(0);
  const pages = Math.max(1, Math.ceil(rows.length / ROWS_MAX));
  const at = Math.min(page, pages - 1);
  if (!rows.length && empty) return <>{empty}</>;
  return (
    <div class={join("table", name)}>
      <table>
        <caption class="hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map((one) => (
              <th key={one.key} scope="col" data-align={one.align} class={one.narrow ? "narrow" : undefined}>
                {one.hideTitle ? <span class="hidden">{one.title}</span> : one.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(at * ROWS_MAX, (at + 1) * ROWS_MAX).map((row) => (
            <tr key={rowKey(row)} data-row={rowKey(row)} aria-label={rowLabel?.(row)}>
              {columns.map((one) => (
                <td key={one.key} data-title={one.hideTitle ? undefined : one.title} data-align={one.align} class={one.narrow ? "narrow" : undefined}>
                  {one.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {pages > 1 && (
        <nav class="table-pages" aria-label={caption}>
          <Button small disabled={at === 0} onClick={() => turn(at - 1)}>{t("before")}</Button>
          <span>{t("page", { page: at + 1, n: pages })}</span>
          <Button small disabled={at === pages - 1} onClick={() => turn(at + 1)}>{t("after")}</Button>
        </nav>
      )}
    </div>
  );
}

/** A list in an order that people choose: drag the handle, or use the arrow keys on it. */
export function Reorder<T>({ items, itemKey, name, onMove, children, label, disabled }: { items: readonly T[]; itemKey: (item: T, at: number) => string | number; name: (item: T) => string; onMove: (items: T[]) => void; children: (item: T, at: number) => ComponentChildren; label: string; disabled?: boolean }) {
  const list = useRef<HTMLOListElement>(null);
  const [held, hold] = useState<{ from: number; to: number } | null>(null);
  const moved = useRef<{ key: string; to: number } | null>(null);
  useLayoutEffect(() => {
    // What moves in the document loses the focus; the order may come from the device, and later.
    const { key: wanted, to } = moved.current ?? { key: "", to: 0 };
    if (moved.current === null || !items[to] || String(itemKey(items[to], to)) !== wanted) return;
    moved.current = null;
    const elsewhere = document.activeElement !== document.body && !list.current?.contains(document.activeElement);
    if (!elsewhere) [...(list.current?.children ?? [])].find((row) => row.getAttribute("data-key") === wanted)?.querySelector<HTMLElement>(".reorder-handle")?.focus();
  });
  const move = (from: number, to: number): void => {
    if (to < 0 || to >= items.length || to === from) return;
    const next = [...items];
    const [item] = next.splice(from, 1);
    next.splice(to, 0, item!);
    moved.current = { key: String(itemKey(item!, to)), to };
    onMove(next);
    announce(t("moved", { name: name(item!), place: to + 1, n: items.length }));
  };
  const drag = (event: PointerEvent): void => {
    if (held === null) return;
    const rows = [...(list.current?.children ?? [])];
    const below = rows.findIndex((row) => {
      const box = row.getBoundingClientRect();
      return event.clientY < box.top + box.height / 2;
    });
    const slot = below === -1 ? rows.length : below;
    hold({ from: held.from, to: slot > held.from ? slot - 1 : slot });
  };
  const drop = (): void => {
    if (held !== null) move(held.from, held.to);
    hold(null);
  };
  const key = (event: KeyboardEvent, at: number): void => {
    const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: items.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    move(at, to);
  };
  const mark = (at: number): string | undefined => (held === null || held.to === held.from || held.to !== at ? undefined : held.to < held.from ? "before" : "after");
  return (
    <ol class="reorder" ref={list} aria-label={label}>
      {items.map((item, at) => (
        <li key={itemKey(item, at)} data-key={itemKey(item, at)} class={join("reorder-row", held?.from === at && "reorder-held")} data-drop={mark(at)}>
          {!disabled && (
            <button
              type="button"
              class="reorder-handle button button-quiet icon-button"
              aria-label={`${t("move", { name: name(item) })}. ${t("moveHint")}`}
              title={t("moveHint")}
              onKeyDown={(event) => key(event, at)}
              onPointerDown={(event) => {
                event.currentTarget.setPointerCapture(event.pointerId);
                hold({ from: at, to: at });
              }}
              onPointerMove={drag}
              onPointerUp={drop}
              onPointerCancel={() => hold(null)}
            >
              <Icon name="drag" />
            </button>
          )}
          <div class="reorder-item">{children(item, at)}</div>
        </li>
      ))}
    </ol>
  );
}

/** A list of some length with a way to remove each. */
export function RemoveButton({ at, onClick, disabled }: { at: number; onClick: () => void; disabled?: boolean }) {
  return <IconButton small icon="trash" label={t("removeEntry", { n: at + 1 })} onClick={onClick} disabled={disabled} />;
}

// Lines of the log, of which only those in sight are in the page: a list to walk through by keys.

import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { vars } from "../../../ui/basics";
import { partOf, timeOf, type Line } from "./feed";
import { t } from "./words";

const ROW = 26; // pixels that a line is high
const ROW_NARROW = 48; // on a phone, where it has two rows
const NARROW = matchMedia("(max-width: 40rem)");
const AROUND = 12; // lines above and below those in sight

interface Props {
  lines: readonly Line[];
  follow: boolean; // the newest stay in sight
  onFollow: (follow: boolean) => void;
  chosen: number | null; // the key of a line
  onChoose: (key: number | null) => void;
}

export function Lines({ lines, follow, onFollow, chosen, onChoose }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const anchor = useRef<{ key: number; offset: number } | null>(null);
  const id = useId();
  const row = useRowHeight();
  const [{ top, height }, see] = useState({ top: 0, height: 600 });
  const look = (): void => {
    if (!place.current) return; // left, while its last scroll was still to be told
    const { scrollTop, clientHeight } = place.current;
    see((before) => (before.top === scrollTop && before.height === clientHeight ? before : { top: scrollTop, height: clientHeight }));
  };
  useEffect(() => {
    const watch = new ResizeObserver(look);
    watch.observe(place.current!);
    return () => watch.disconnect();
  }, []);
  useLayoutEffect(() => {
    const list = place.current!;
    if (follow) list.scrollTop = list.scrollHeight;
    else if (anchor.current) {
      const at = lines.findIndex(({ key }) => key === anchor.current!.key);
      if (at >= 0) list.scrollTop = at * row + anchor.current.offset;
    }
    look();
  }, [lines, follow, row]);

  const remember = (): void => {
    const { scrollTop } = place.current!;
    const first = lines[Math.min(lines.length - 1, Math.floor(scrollTop / row))];
    anchor.current = first ? { key: first.key, offset: scrollTop - lines.indexOf(first) * row } : null;
  };
  const scrolled = (): void => {
    if (!place.current) return;
    const { scrollTop, scrollHeight, clientHeight } = place.current;
    remember();
    if (scrollHeight - scrollTop - clientHeight < row / 2) onFollow(true);
    look();
  };
  const choose = (at: number): void => {
    const line = lines[Math.min(lines.length - 1, Math.max(0, at))];
    if (!line) return;
    const list = place.current!;
    const from = lines.indexOf(line) * row;
    onFollow(false);
    onChoose(line.key);
    if (from < list.scrollTop) list.scrollTop = from;
    else if (from + row > list.scrollTop + list.clientHeight) list.scrollTop = from + row - list.clientHeight;
    remember();
  };
  const key = (event: KeyboardEvent): void => {
    const known = lines.findIndex((line) => line.key === chosen);
    const at = known >= 0 ? known : Math.floor((top + height) / row) - 1;
    const page = Math.max(1, Math.floor(height / row) - 1);
    const next = { ArrowUp: known < 0 ? at : at - 1, ArrowDown: at + 1, PageUp: at - page, PageDown: at + page, Home: 0, End: lines.length - 1 }[event.key];
    if (event.key === "Escape") onChoose(null);
    if (next === undefined) return;
    event.preventDefault();
    choose(next);
  };

  const first = Math.max(0, Math.floor(top / row) - AROUND);
  const shown = lines.slice(first, Math.ceil((top + height) / row) + AROUND);
  const active = shown.find((line) => line.key === chosen);
  return (
    <div class="log-scroll" ref={place} onScroll={scrolled} onWheel={(event) => event.deltaY < 0 && onFollow(false)} onTouchMove={() => onFollow(false)} style={vars({ row: `${row}px` })}>
      <div class="log-lines" role="listbox" aria-label={t("lines")} tabIndex={0} aria-activedescendant={active ? `${id}-${active.key}` : undefined} onKeyDown={key} style={vars({ lines: lines.length })}>
        <div role="presentation" style={vars({ first })}>
          {shown.map((line, n) => (
            <Row key={line.key} id={`${id}-${line.key}`} line={line} at={first + n} of={lines.length} chosen={line.key === chosen} onClick={() => choose(first + n)} />
          ))}
        </div>
      </div>
    </div>
  );
}

function Row({ id, line, at, of, chosen, onClick }: { id: string; line: Line; at: number; of: number; chosen: boolean; onClick: () => void }) {
  const cut = line.text.indexOf("\n");
  return (
    <div id={id} role="option" aria-selected={chosen} aria-posinset={at + 1} aria-setsize={of} class="log-line" data-level={line.level} data-anew={line.anew ? "" : undefined} onClick={onClick}>
      <span class="log-time">{timeOf(line.at)}</span>
      <span class="log-level">{t(line.level)}</span>
      <span class="log-part">{partOf(line.source)}</span>
      <span class="log-text">{cut < 0 ? line.text : `${line.text.slice(0, cut)} …`}</span>
    </div>
  );
}

function useRowHeight(): number {
  const [narrow, turn] = useState(NARROW.matches);
  useEffect(() => {
    const changed = (): void => turn(NARROW.matches);
    NARROW.addEventListener("change", changed);
    return () => NARROW.removeEventListener("change", changed);
  }, []);
  return narrow ? ROW_NARROW : ROW;
}

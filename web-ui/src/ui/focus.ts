// The focus goes with what is removed or switched off, and whoever does not see the page is then at its
// beginning: it goes to what stands in that place now, or beside it.

const FOCUSABLE = ":is(a[href], button, input, select, textarea, summary, [tabindex]):not(:disabled, [tabindex='-1'], [aria-hidden='true'])";
const WHOLE = "form, li, article, section, dialog, main"; // what somebody is in

let held: Element | null = null; // had the focus last

const within = (place: Element): HTMLElement | undefined => [...place.querySelectorAll<HTMLElement>(FOCUSABLE)].find((one) => one.checkVisibility());

/** The first that can have the focus in a node or in those behind it. */
function from(place: Node | null): HTMLElement | undefined {
  for (let one = place; one !== null; one = one.nextSibling) {
    if (!(one instanceof HTMLElement)) continue;
    const found = one.matches(FOCUSABLE) && one.checkVisibility() ? one : within(one);
    if (found) return found;
  }
  return undefined;
}

/** What is nearest to an element that was removed. */
function beside(lost: Element, records: readonly MutationRecord[]): HTMLElement | undefined {
  const record = records.find(({ removedNodes }) => [...removedNodes].some((node) => node.contains(lost)));
  if (!record?.target.isConnected) return undefined;
  const before = record.previousSibling;
  return from(record.nextSibling?.isConnected ? record.nextSibling : null) ?? (before instanceof HTMLElement && before.isConnected ? from(before) : within(record.target as Element));
}

function look(records: readonly MutationRecord[]): void {
  if (held === null) return;
  const removed = !held.isConnected;
  if (document.activeElement !== document.body && document.activeElement !== held) return;
  if (!removed && !held.matches(":disabled")) return;
  const next = removed ? beside(held, records) : within(held.closest(WHOLE) ?? document.body);
  held = null;
  const window = [...document.querySelectorAll<HTMLElement>("dialog[open]")].at(-1);
  const inReach = next && (!window || window.contains(next)) ? next : (window ?? document.querySelector<HTMLElement>("main"));
  inReach?.focus({ preventScroll: true });
}

/** From now on, as long as the page is there. */
export function keepFocus(): void {
  addEventListener("focusin", ({ target }) => (held = target as Element));
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["disabled"] });
}

// Where in the page we are: #/profiles, #/sip/accounts?name=PBX.

import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useLayoutEffect } from "preact/hooks";

export interface Place {
  path: string; // "/sip/accounts"
  segments: string[]; // ["sip", "accounts"]
  query: URLSearchParams;
}

function read(): Place {
  const [path = "", query = ""] = location.hash.replace(/^#/, "").split("?");
  const segments = path.split("/").filter(Boolean).map(decoded);
  return { path: `/${segments.map(encodeURIComponent).join("/")}`, segments, query: new URLSearchParams(query) };
}

/** A step as it was before it was escaped; one that nobody has escaped as it is. */
function decoded(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step;
  }
}

export const place = signal<Place>(read());

/** In how many places of the page something is entered and not saved. */
export const unsaved = signal(0);

let mayLeave = (): Promise<boolean> => Promise.resolve(true);
let shown = location.hash;

/** What asks whether to go to another address all the same. */
export function onLeave(ask: () => Promise<boolean>): void {
  mayLeave = ask;
}

addEventListener("hashchange", () => {
  if (location.hash !== shown) void arrive(location.hash);
});

async function arrive(wanted: string): Promise<void> {
  const leave = await mayLeave();
  if (location.hash !== wanted) return; // gone elsewhere while that was asked
  if (!leave) return history.replaceState(null, "", shown || "#/");
  shown = wanted;
  place.value = read();
}

addEventListener("beforeunload", (event) => {
  if (unsaved.peek() > 0) event.preventDefault();
});

/** Ask before the page is left while something is entered here: no longer than that, or whoever goes on at once
 *  is asked about what is gone (the end of an effect waits until the browser has drawn). */
export function useGuard(entered: boolean): void {
  useLayoutEffect(() => {
    if (!entered) return undefined;
    unsaved.value = unsaved.peek() + 1;
    return () => void (unsaved.value = unsaved.peek() - 1);
  }, [entered]);
}

/** The address of a place, for links. */
export const to = (path: string): string => `#${path}`;

export function navigate(path: string): void {
  location.hash = path;
}

export function Link({ path, class: name, children, ...more }: { path: string; class?: string; children: ComponentChildren; [more: `aria-${string}`]: string | undefined }) {
  return (
    <a href={to(path)} class={name} {...more}>
      {children}
    </a>
  );
}

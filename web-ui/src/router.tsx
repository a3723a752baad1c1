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

/** Whether to leave what is entered and not saved; asked by the page that has it. */
type Guard = () => boolean | Promise<boolean>;
const guards = new Set<Guard>();
let shown = location.hash;

addEventListener("hashchange", () => {
  if (location.hash !== shown) void arrive(location.hash);
});

async function arrive(wanted: string): Promise<void> {
  for (const mayLeave of guards) {
    if (await mayLeave()) continue;
    if (location.hash === wanted) history.replaceState(null, "", shown || "#/");
    return; // or gone elsewhere: that is asked by itself
  }
  if (location.hash !== wanted) return; // gone elsewhere while that was asked
  shown = wanted;
  place.value = read();
}

addEventListener("beforeunload", (event) => {
  if (guards.size > 0) event.preventDefault();
});

/** Ask before the page is left while `unsaved`: no longer than that, or whoever goes on at once is asked about
 *  what is gone (the end of an effect waits until the browser has drawn). */
export function useGuard(unsaved: boolean, ask: Guard): void {
  useLayoutEffect(() => {
    if (!unsaved) return undefined;
    guards.add(ask);
    return () => void guards.delete(ask);
  }, [unsaved, ask]);
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

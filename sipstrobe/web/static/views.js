// One view at a time, by the hash of the address; what nobody looks at asks the device for nothing.

import { $ } from "./dom.js";

const FIRST = "overview";
const known = new Map([[FIRST, {}]]);
let current = FIRST;
let latest = null; // the state of the device
let tell = null; // the device what is looked at; null: nobody is there

/** Of a view, all optional: enter() when it is looked at and the device answers, leave(), and
 *  state(state), sound(message), events(names) while it is. */
export function add(name, view) {
  known.set(name, view);
}

/** The device answers; send takes the name of what is looked at. */
export function begin(send) {
  tell = send;
  look();
}

export function end() {
  if (tell) known.get(current).leave?.();
  tell = null;
}

/** Something for whoever looks: the name of a method of views. */
export function hear(what, content) {
  if (what === "state") latest = content;
  known.get(current)[what]?.(content);
}

function look() {
  tell(current);
  known.get(current).enter?.();
  if (latest) hear("state", latest);
}

export function show() {
  const wanted = location.hash.slice(1);
  const name = known.has(wanted) ? wanted : FIRST;
  for (const place of document.querySelectorAll("[data-view]")) place.hidden = place.dataset.view !== name;
  for (const link of document.querySelectorAll(".views a")) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (name === current) return;
  if (tell) known.get(current).leave?.();
  current = name;
  scrollTo(0, 0);
  if (tell) look();
}

addEventListener("hashchange", show);

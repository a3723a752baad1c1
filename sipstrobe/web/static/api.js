// Requests to the device. The header says that this page asks, so that no browser window does.

import { $, setText } from "./dom.js";

const HEADERS = { "X-Requested-With": "page", "Content-Type": "application/json" };
const LONGEST = 10_000; // milliseconds until an answer
let hiding = 0;

/** The JSON of the answer; throws an Error in the device's own words, with its status. */
export async function ask(method, path, body) {
  const signal = AbortSignal.timeout(LONGEST);
  const response = await fetch(path, { method, headers: HEADERS, body: body && JSON.stringify(body), signal });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  const words = answer.problems?.map((p) => p.message).join("; ") || answer.detail;
  throw Object.assign(new Error(words || `HTTP ${response.status}`), { status: response.status });
}

/** Give an order; what is refused is said at the foot of the page. */
export async function command(name, fields = {}) {
  try {
    await ask("POST", `/api/v1/commands/${name}`, fields);
  } catch (error) {
    say(error.message);
    if (error.status === 401) dispatchEvent(new Event("logged-out"));
  }
}

export function say(words) {
  const toast = $("#toast");
  setText(toast, words);
  toast.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => { toast.hidden = true; }, 6000);
}

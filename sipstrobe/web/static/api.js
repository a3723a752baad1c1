// Requests to the device. The header says that this page asks, so that no browser window does.

import { $, setText } from "./dom.js";

const HEADERS = { "X-Requested-With": "page", "Content-Type": "application/json" };
const LONGEST = 10_000; // milliseconds until an answer
let hiding = 0;

/** The JSON of the answer to a body of JSON, or to a text; throws an Error in the device's own words, with its status and the
 *  problems, each of which names a path where it is known. */
export async function ask(method, path, body, headers = {}) {
  const signal = AbortSignal.timeout(LONGEST);
  const response = await fetch(path, { method, headers: { ...HEADERS, ...headers }, body: typeof body === "object" ? JSON.stringify(body) : body, signal });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  throw refusal(response.status, answer);
}

/** The Error of an answer that is a problem (RFC 9457). */
export function refusal(status, answer) {
  if (status === 401) dispatchEvent(new Event("logged-out"));
  const problems = answer.problems ?? [{ path: answer.field ?? "", message: answer.detail ?? `HTTP ${status}` }];
  const words = problems.map((p) => p.message).join("; ");
  return Object.assign(new Error(words), { status, problems });
}

/** Give an order; what is refused is said at the foot of the page. Whether it was carried out. */
export function command(name, fields = {}) {
  return attempt(() => ask("POST", `/api/v1/commands/${name}`, fields));
}

/** Do something of which a refusal is said at the foot of the page; whether it was done. */
export async function attempt(action) {
  try {
    await action();
    return true;
  } catch (problem) {
    say(problem.message);
    return false;
  }
}

export function say(words) {
  const toast = $("#toast");
  setText(toast, words);
  toast.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => { toast.hidden = true; }, 6000);
}

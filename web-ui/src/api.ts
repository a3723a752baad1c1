// Requests to the device. The header says that this page asks, so that the browser opens no window
// for a password. Paths are below /api/v1 unless they are whole.

import type { FieldProblem } from "./types";
import { told } from "./words";

const LONGEST = 20_000; // milliseconds until an answer
const SILENT = 120_000; // milliseconds; a large backup is looked through before it is answered
const HEADERS = { "X-Requested-With": "page" };

/** A refusal (RFC 9457), in the language of the page where that is known. status 0: the device was not reached. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly detail: string,
    readonly code?: string,
    readonly field?: string,
    readonly problems: FieldProblem[] = [],
    readonly answer: Record<string, unknown> = {},
  ) {
    super(problems.length ? problems.map((one) => one.message).join("; ") : detail);
  }

  /** What is wrong with which field; a problem of no field has the path "". */
  get fields(): FieldProblem[] {
    if (this.problems.length) return this.problems;
    return [{ path: this.field ?? "", message: this.detail }];
  }
}

export interface Options {
  revision?: number; // sent as If-Match: refused with 412 when it is not that any more
  signal?: AbortSignal;
  headers?: Record<string, string>;
  endless?: boolean; // the body goes on for longer than an answer may take
}

type Again = () => Promise<boolean>;
let askAgain: Again = () => Promise.resolve(false);

/** What is done when the session has ended; true: somebody has logged in, ask again. */
export function onLoggedOut(again: Again): void {
  askAgain = again;
}

export const whole = (path: string): string => (/^\/(api|static|config|vapix|axis-cgi)\//.test(path) ? path : `/api/v1${path}`);

export const get = <T>(path: string, options?: Options): Promise<T> => ask<T>("GET", path, undefined, options);
export const post = <T>(path: string, body?: unknown, options?: Options): Promise<T> => ask<T>("POST", path, body, options);
export const put = <T>(path: string, body?: unknown, options?: Options): Promise<T> => ask<T>("PUT", path, body, options);
export const patch = <T>(path: string, body?: unknown, options?: Options): Promise<T> => ask<T>("PATCH", path, body, options);
export const del = <T>(path: string, body?: unknown, options?: Options): Promise<T> => ask<T>("DELETE", path, body, options);

/** Give an order (POST /commands/<name>); its result. */
export async function command<T = unknown>(name: string, fields: Record<string, unknown> = {}): Promise<T> {
  return (await post<{ result: T }>(`/commands/${name}`, fields)).result;
}

/** The JSON of an answer. Throws Problem; asks again after somebody has logged in anew. */
export async function ask<T>(method: string, path: string, body?: unknown, options: Options = {}): Promise<T> {
  const response = await raw(method, path, body, options);
  const answer: unknown = parse(await whatComes(response));
  if (response.ok) return answer as T;
  throw refusal(response.status, answer as Record<string, unknown>);
}

/** The body; one that breaks off is no answer. */
const whatComes = (response: Response): Promise<string> =>
  response.text().catch(() => {
    throw new Problem(0, unreached());
  });

/** The answer itself, whatever it says, but that nobody is logged in. */
export async function raw(method: string, path: string, body?: unknown, options: Options = {}): Promise<Response> {
  const send = (): Promise<Response> => reach(method, whole(path), body, options);
  const response = await send();
  const asksWho = response.status === 401 && !/\/(session|login|logout|setup)$/.test(path);
  return asksWho && (await askAgain()) ? send() : response;
}

async function reach(method: string, path: string, body: unknown, options: Options): Promise<Response> {
  const sent = body === undefined || body instanceof Blob || body instanceof FormData || body instanceof ArrayBuffer || typeof body === "string";
  const headers: Record<string, string> = { ...HEADERS, ...options.headers };
  if (!sent) headers["Content-Type"] ??= "application/json";
  if (options.revision !== undefined) headers["If-Match"] = `"${options.revision}"`;
  const limits = options.endless ? [] : [AbortSignal.timeout(LONGEST)];
  const signal = AbortSignal.any(options.signal ? [options.signal, ...limits] : limits);
  const cache = options.endless ? "no-store" : "default"; // else Firefox lets a second tab wait for the end of the first one's
  try {
    return await fetch(path, { method, headers, signal, cache, body: sent ? (body as BodyInit | undefined) : JSON.stringify(body) });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Problem(0, unreached());
  }
}

let unreached = (): string => "The device does not answer.";

/** The words for a device that does not answer, in the language of the page. */
export function onUnreached(words: () => string): void {
  unreached = words;
}

export function refusal(status: number, answer: Record<string, unknown>): Problem {
  const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
  return new Problem(
    status,
    told(text(answer.detail) ?? `HTTP ${status}`),
    text(answer.code),
    text(answer.field),
    Array.isArray(answer.problems) ? (answer.problems as FieldProblem[]).map(({ path, message }) => ({ path, message: told(message) })) : [],
    answer,
  );
}

/** Send a file; progress: the share that has gone, 0…1. Given up when nothing has gone or come for
 *  SILENT. Throws Problem. */
export function upload<T>(path: string, file: Blob | FormData, progress: (share: number) => void = () => {}, { signal, headers }: Pick<Options, "signal" | "headers"> = {}): Promise<T> {
  return new Promise((done, refuse) => {
    const request = new XMLHttpRequest();
    request.open("POST", whole(path));
    for (const [name, value] of Object.entries({ ...HEADERS, ...headers })) request.setRequestHeader(name, value);
    let silent: ReturnType<typeof setTimeout>;
    const wait = (): void => {
      clearTimeout(silent);
      silent = setTimeout(() => (lost(), request.abort()), SILENT);
    };
    const lost = (): void => refuse(new Problem(0, unreached()));
    request.upload.onprogress = ({ loaded, total }) => (wait(), progress(total ? loaded / total : 0));
    request.onerror = lost;
    request.onabort = () => refuse(new DOMException("given up", "AbortError"));
    request.onloadend = () => clearTimeout(silent);
    request.onload = () => {
      const answer = parse(request.responseText);
      if (request.status >= 200 && request.status < 300) done(answer as T);
      else refuse(refusal(request.status, answer));
    };
    signal?.addEventListener("abort", () => request.abort());
    wait();
    request.send(file);
  });
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}

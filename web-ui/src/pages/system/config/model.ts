// All settings as a tree of named values: what each is, may be, and usually is (PLC-01).

import type { Schema } from "../../../types";
import { told } from "../../../words";
import { below, branches, limits, resolve, titleOf, withoutNull } from "../../../ui/schema";
import { t } from "./words";

/** GET /settings. */
export interface All {
  revision: number;
  settings: Record<string, unknown>;
}

export interface Setting {
  path: string; // JSON pointer from the root
  name: string; // its last step
  title: string;
  hint: string;
  given: Schema; // as it is said of it
  schema: Schema; // followed, without null
  nullable: boolean;
  value: unknown;
  usual: unknown; // undefined: there is no default
  within: boolean; // an entry of a list, or below one
  children: Setting[] | null; // null: a value of its own
  changed: number; // values below that are not as usual
  searched: string;
}

/** What has a page of its own, where alone it can be changed. */
const ELSEWHERE: Record<string, string> = { "/clips": "/media", "/certificates": "/certificates" };

export function elsewhere(path: string): string | undefined {
  const found = Object.keys(ELSEWHERE).find((there) => `${path}/`.startsWith(`${there}/`));
  return found && ELSEWHERE[found];
}

/** Where a change may lead away from the address that is looked at. */
export const movesPage = (path: string): boolean => /^\/web\/(host|port|https_port|mode)$/.test(path);

export function treeOf(all: All, root: Schema): Setting[] {
  const whole = resolve(root, root);
  return Object.entries(whole.properties ?? {}).map(([name, given]) => settingOf(`/${name}`, name, given, all.settings[name], defaultOf(given), root, false));
}

const defaultOf = (given: Schema): unknown => given.default;

function settingOf(path: string, name: string, given: Schema, has: unknown, usual: unknown, root: Schema, within: boolean): Setting {
  const { inner, nullable } = withoutNull(resolve(given, root), root);
  const value = has === undefined ? usual : has;
  const title = within && /^\d+$/.test(name) ? entryTitle(Number(name), value) : titleOf(name, given);
  const children = childrenOf(path, inner, value, usual, root, within);
  const own = usual !== undefined && !same(value, usual) ? 1 : 0;
  const below = (children ?? []).reduce((sum, child) => sum + child.changed, 0);
  const hint = told(given.description ?? (inner.properties ? "" : (inner.description ?? "")));
  return {
    path, name, title, hint, given, schema: inner, nullable, value, usual, within, children,
    changed: children === null || inner.type === "array" ? Math.max(own, below) : below,
    searched: [path, title, hint, children ? "" : valueWords(value)].join(" ").toLowerCase(),
  };
}

function childrenOf(path: string, schema: Schema, value: unknown, usual: unknown, root: Schema, within: boolean): Setting[] | null {
  if (schema.writeOnly || typeof value !== "object" || value === null) return null;
  if (Array.isArray(value)) {
    if (!value.some((entry) => typeof entry === "object")) return null;
    return value.map((entry: unknown, n) => settingOf(below(path, n), String(n), schema.items ?? {}, entry, undefined, root, true));
  }
  const union = branches(schema, root);
  const shape = union ? union.kinds[String((value as Record<string, unknown>)[union.tag])] : schema;
  const usually = (typeof usual === "object" && usual !== null ? usual : {}) as Record<string, unknown>;
  const members = shape?.properties;
  if (!members) {
    const inner = typeof schema.additionalProperties === "object" ? schema.additionalProperties : {};
    return Object.entries(value).map(([name, one]) => settingOf(below(path, name), name, inner, one, undefined, root, within));
  }
  return Object.entries(members).map(([name, given]) =>
    settingOf(below(path, name), name, given, (value as Record<string, unknown>)[name], name in usually ? usually[name] : defaultOf(given), root, within),
  );
}

/** An entry of a list by what names it. */
function entryTitle(n: number, value: unknown): string {
  const { name, label, number, topic } = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  const named = [name, label, number, topic].find((one) => typeof one === "string" && one !== "");
  return named === undefined ? t("entry", { n: n + 1 }) : `${n + 1}. ${String(named)}`;
}

export const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

const LONGEST = 160; // characters of a value in the tree

/** A value as it is read by people. */
export function valueWords(value: unknown, schema?: Schema): string {
  if (schema?.writeOnly) return t(typeof value === "object" && value !== null ? "secretSet" : "secretNone");
  if (value === null || value === undefined) return t("nothing");
  if (typeof value === "boolean") return t(value ? "on" : "off");
  if (value === "") return t("empty");
  if (Array.isArray(value)) return value.length ? value.map((one) => (typeof one === "object" ? JSON.stringify(one) : String(one))).join(", ").slice(0, LONGEST) : t("emptyList");
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

/** What it may be: "whole number, 1 to 65535". */
export function kindWords({ schema, nullable, given }: Setting): string {
  const known = { integer: t("integer"), number: t("number"), boolean: t("boolean"), string: t("text"), array: t("list"), object: t("struct") };
  const one = Array.isArray(schema.type) ? "" : (known[schema.type as keyof typeof known] ?? "");
  const kind = schema.writeOnly ? t("secret") : schema.enum ? t("oneOf", { values: schema.enum.join(", ") }) : one || t("struct");
  const pattern = schema.pattern && !schema.writeOnly && schema.pattern.length <= 60 && !schema.pattern.includes("\\x00") ? schema.pattern.replace("(?!\\n)", "") : "";
  const units = given.type === undefined && schema.multipleOf ? t("steps", { step: schema.multipleOf }) : "";
  return [kind, limits(schema), units, pattern, nullable && t("orNothing")].filter(Boolean).join(" · ");
}

/** All that fit every word, in the order of the tree; only values, and lists that have none. */
export function found(tree: readonly Setting[], text: string, changed: boolean): Setting[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const hits: Setting[] = [];
  const look = (setting: Setting, above: string): void => {
    if (changed && !setting.changed) return;
    const searched = `${above} ${setting.searched}`;
    if (setting.children?.length) setting.children.forEach((child) => look(child, `${above} ${setting.title.toLowerCase()}`));
    else if (words.every((word) => searched.includes(word))) hits.push(setting);
  };
  tree.forEach((setting) => look(setting, ""));
  return hits;
}

export function settingAt(tree: readonly Setting[], path: string): Setting | undefined {
  for (const setting of tree) {
    if (setting.path === path) return setting;
    if (path.startsWith(`${setting.path}/`)) return settingAt(setting.children ?? [], path);
  }
  return undefined;
}

const stepsOf = (path: string): string[] => path.split("/").slice(1).map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));

/** The merge patch (RFC 7396) that puts a value there, undefined: its default. Lists go whole. */
export function patchFor(settings: unknown, path: string, value: unknown): unknown {
  const [step, ...rest] = stepsOf(path);
  const here = (settings as Record<string, unknown>)[step!];
  if (!rest.length) return { [step!]: value === undefined ? null : replacing(here, value) };
  const deeper = `/${path.split("/").slice(2).join("/")}`;
  return { [step!]: Array.isArray(here) ? put(here, deeper, value) : patchFor(here, deeper, value) };
}

/** What merged into `before` gives `after`: what is no longer there is null. */
function replacing(before: unknown, after: unknown): unknown {
  if (!isStruct(before) || !isStruct(after)) return after;
  const gone = Object.keys(before).filter((name) => !(name in after)).map((name) => [name, null]);
  return { ...Object.fromEntries(gone), ...Object.fromEntries(Object.entries(after).map(([name, value]) => [name, replacing(before[name], value)])) };
}

function put(target: unknown, path: string, value: unknown): unknown {
  const [step, ...rest] = stepsOf(path);
  const next = (inner: unknown): unknown => (rest.length ? put(inner, `/${path.split("/").slice(2).join("/")}`, value) : value);
  if (Array.isArray(target)) return target.map((entry: unknown, n) => (String(n) === step ? next(entry) : entry));
  const struct = target as Record<string, unknown>;
  const { [step!]: was, ...others } = struct;
  const now = next(was);
  return now === undefined ? others : { ...struct, [step!]: now };
}

const isStruct = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

/** What is there now, undefined: nothing. */
export function valueAt(settings: unknown, path: string): unknown {
  return stepsOf(path).reduce<unknown>((here, step) => (typeof here === "object" && here !== null ? (here as Record<string, unknown>)[step] : undefined), settings);
}

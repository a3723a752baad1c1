// JSON Schema as the device writes it: references followed, titles and limits as words, new values.

import { told } from "../words";
import type { FieldProblem, Schema } from "../types";
import { rangeWords } from "./fields";
import { t } from "./words";

export type Struct = Record<string, unknown>;

/** A schema with its reference followed; what stands beside the reference goes first. */
export function resolve(schema: Schema, root: Schema): Schema {
  if (schema.$ref === undefined) return schema;
  const { $ref, ...beside } = schema;
  const found = root.$defs?.[$ref.split("/").at(-1)!] ?? {};
  return { ...resolve(found, root), ...beside };
}

/** What a schema allows beside null, and whether null is allowed. */
export function withoutNull(schema: Schema, root: Schema): { inner: Schema; nullable: boolean } {
  if (schema.anyOf) {
    const kinds = schema.anyOf.filter((one) => one.type !== "null");
    const nullable = kinds.length < schema.anyOf.length;
    if (kinds.length === 1) {
      const { anyOf: _, ...beside } = schema;
      return { inner: { ...resolve(kinds[0]!, root), ...beside }, nullable };
    }
    return { inner: { ...schema, anyOf: kinds }, nullable };
  }
  if (Array.isArray(schema.type) && schema.type.includes("null")) {
    const kinds = schema.type.filter((one) => one !== "null");
    return { inner: { ...schema, type: kinds.length === 1 ? kinds[0] : kinds }, nullable: true };
  }
  if (schema.enum?.includes(null)) return { inner: { ...schema, enum: schema.enum.filter((one) => one !== null) }, nullable: true };
  return { inner: schema, nullable: false };
}

/** "ultra_low" → "Ultra low". */
export function pretty(name: string): string {
  const spaced = name.replace(/[_-]+/g, " ").trim();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

/** The title of a member. Structs are named by their member: their own title is that of a class. */
export function titleOf(name: string, schema: Schema): string {
  const inner = schema.anyOf?.find((one) => one.type !== "null" && one.$ref === undefined);
  return told(schema.title ?? inner?.title ?? pretty(name));
}

/** What may be entered, in words. */
export function limits(schema: Schema): string {
  const low = schema.minimum ?? schema.exclusiveMinimum;
  const high = schema.maximum ?? schema.exclusiveMaximum;
  if (low !== undefined || high !== undefined) return rangeWords(low, high);
  if (schema.type === "array" && schema.maxItems !== undefined) return t("entries", { n: schema.maxItems });
  return schema.maxLength !== undefined && schema.maxLength <= 255 && !schema.pattern ? t("characters", { n: schema.maxLength }) : "";
}

/** The device's pattern (Python's) as the browser's; null where that has no such thing. */
export function patternOf(schema: Schema): RegExp | null {
  if (schema.pattern === undefined) return null;
  try {
    const source = schema.pattern.replace("(?!\\n)", "").replace(/\\U([0-9a-fA-F]{8})/g, (_, digits: string) => `\\u{${digits.replace(/^0+/, "")}}`);
    return new RegExp(source, "u");
  } catch {
    return null;
  }
}

/** Which schema of a union a value is of, by its kind. */
export function branches(schema: Schema, root: Schema): { tag: string; kinds: Record<string, Schema> } | null {
  if (!schema.anyOf || !schema.discriminator) return null;
  const { propertyName: tag, mapping } = schema.discriminator;
  return { tag, kinds: Object.fromEntries(Object.entries(mapping).map(([kind, ref]) => [kind, resolve({ $ref: ref }, root)])) };
}

/** A first value: what the device takes where nobody says anything, else the smallest there is. */
export function make(given: Schema, root: Schema): unknown {
  if (given.default !== undefined) return given.default;
  const schema = resolve(given, root);
  const { inner, nullable } = withoutNull(schema, root);
  if (nullable) return null;
  if (inner.default !== undefined) return inner.default;
  const union = branches(inner, root);
  if (union) {
    const [kind, first] = Object.entries(union.kinds)[0]!;
    return { [union.tag]: kind, ...(makeStruct(first, root, union.tag)) };
  }
  if (inner.enum) return inner.enum[0];
  if (inner.properties) return makeStruct(inner, root);
  switch (inner.type) {
    case "array":
      return Array.from({ length: inner.prefixItems ? 0 : (inner.minItems ?? 0) }, () => make(inner.items ?? {}, root));
    case "object":
      return {};
    case "boolean":
      return false;
    case "integer":
    case "number":
      return inner.minimum ?? 0;
    default:
      return "";
  }
}

/** Only what must be said; the device knows the rest. */
function makeStruct(schema: Schema, root: Schema, tag = ""): Struct {
  const needed = (schema.required ?? []).filter((name) => name !== tag);
  return Object.fromEntries(needed.map((name) => [name, make(schema.properties?.[name] ?? {}, root)]));
}

/** Another kind in its place, with what the two have in common. */
export function turnInto(value: Struct, kind: string, union: { tag: string; kinds: Record<string, Schema> }, root: Schema): Struct {
  const schema = union.kinds[kind]!;
  const common = Object.entries(value).filter(([name, old]) => {
    const wanted = schema.properties?.[name];
    return name !== union.tag && wanted !== undefined && fits(old, resolve(wanted, root), root);
  });
  return { [union.tag]: kind, ...makeStruct(schema, root, union.tag), ...Object.fromEntries(common) };
}

function fits(value: unknown, schema: Schema, root: Schema): boolean {
  const { inner, nullable } = withoutNull(schema, root);
  if (value === null) return nullable;
  if (inner.enum) return inner.enum.includes(value as string);
  if (inner.writeOnly) return true;
  const kind = Array.isArray(value) ? "array" : typeof value === "number" ? "number" : typeof value;
  return inner.type === kind || (inner.type === "integer" && Number.isInteger(value)) || (kind === "object" && inner.properties !== undefined);
}

// --- pointers -------------------------------------------------------------------------------------------

const escape = (step: string): string => step.replaceAll("~", "~0").replaceAll("/", "~1");

/** The JSON pointer (RFC 6901) of a member or entry below another. */
export const below = (path: string, step: string | number): string => `${path}/${escape(String(step))}`;

/** Whether a pointer fits a pattern, in which "*" stands for any step. */
export function fitsPattern(path: string, pattern: string): boolean {
  const steps = path.split("/");
  const wanted = pattern.split("/");
  return steps.length === wanted.length && wanted.every((one, n) => one === "*" || one === steps[n]);
}

/** What a table of patterns says of a path; the exact one goes first. */
export function at<T>(table: Record<string, T> | undefined, path: string): T | undefined {
  if (!table) return undefined;
  if (path in table) return table[path];
  const found = Object.keys(table).find((pattern) => pattern.includes("*") && fitsPattern(path, pattern));
  return found === undefined ? undefined : table[found];
}

/** The problems of what is below `base`, by pointers from there; `others` are of something else. */
export function problemsBelow(problems: readonly FieldProblem[], base: string): { mine: FieldProblem[]; others: FieldProblem[] } {
  const mine: FieldProblem[] = [];
  const others: FieldProblem[] = [];
  for (const { path: told, message } of problems) {
    const path = told === "" || told.startsWith("/") ? told : `/${told.replaceAll(".", "/")}`;
    if (path === base || path.startsWith(`${base}/`)) mine.push({ path: path.slice(base.length), message });
    else others.push({ path, message });
  }
  return { mine, others };
}

// A form from the device's JSON Schema: what it allows, how it calls it, and what it says is wrong.

import { createContext, type ComponentChildren } from "preact";
import { useContext, useId, useMemo, useState } from "preact/hooks";
import type { FieldProblem, Schema } from "../types";
import { told } from "../words";
import { Button, Notice, join } from "./basics";
import { Checks, Field, NumberField, Select, TextField, Toggle, type Choice } from "./fields";
import { RemoveButton } from "./lists";
import { at, below, branches, fitsPattern, limits, make, patternOf, pretty, problemsBelow, resolve, titleOf, turnInto, withoutNull, type Struct } from "./schema";
import { t } from "./words";

/** One setting, as a renderer of one's own is given it. */
export interface SchemaField {
  path: string; // pointer from the value of the form
  title: string;
  hint: string;
  schema: Schema;
  value: unknown;
  onChange: (value: unknown) => void;
  error: string | undefined;
  disabled: boolean;
  nullable: boolean;
}

export type SchemaChoice = Choice<unknown> | string;

export interface SchemaFormProps {
  schema: Schema;
  root?: Schema; // has the $defs, where `schema` is a part of it
  value: unknown;
  onChange: (value: never) => void;
  problems?: readonly FieldProblem[];
  base?: string; // where the value is in the device's settings: "/mqtt", "/rules/3"
  // Patterns such as "/name" or "/accounts/*/host". Given, the other members are below "More".
  brief?: readonly string[];
  hide?: readonly string[]; // what people are not asked for here
  order?: readonly string[]; // members that go first, in this order
  render?: Record<string, (field: SchemaField) => ComponentChildren>;
  choices?: Record<string, readonly SchemaChoice[]>; // of a text or number: what it may be
  titles?: Record<string, string>;
  hints?: Record<string, string>; // "": none
  values?: Record<string, string>; // words for the values of enumerations and the kinds of unions
  entry?: (path: string, value: unknown, at: number) => string; // the name of an entry of a list
  readOnly?: boolean | ((path: string) => boolean);
}

interface Scope extends SchemaFormProps {
  root: Schema;
  mine: readonly FieldProblem[];
}

const Scoped = createContext<Scope | null>(null);
const useScope = (): Scope => useContext(Scoped)!;

/** All members of a struct (or one value) as fields. Problems stand at the field that their pointer
 *  names; those of no field stand above. */
export function SchemaForm(props: SchemaFormProps) {
  const { problems = [], base = "", root = props.schema } = props;
  const { mine, others } = useMemo(() => problemsBelow(problems, base), [problems, base]);
  const homeless = [...others, ...mine.filter(({ path }) => path === "" || props.hide?.some((one) => covers(one, path)))];
  const scope: Scope = { ...props, root, mine };
  const schema = resolve(props.schema, root);
  return (
    <Scoped.Provider value={scope}>
      <div class="schema-form">
        {homeless.length > 0 && (
          <Notice tone="bad" live>
            {homeless.map(({ path, message }) => (
              <div key={path + message}>{path ? `${path}: ${message}` : message}</div>
            ))}
          </Notice>
        )}
        {schema.properties && !schema.anyOf ? (
          <Members schema={schema} path="" value={(props.value ?? {}) as Struct} onChange={props.onChange as (value: unknown) => void} />
        ) : (
          <Node name="" schema={schema} path="" value={props.value} onChange={props.onChange as (value: unknown) => void} />
        )}
      </div>
    </Scoped.Provider>
  );
}

const covers = (pattern: string, path: string): boolean => fitsPattern(path.split("/").slice(0, pattern.split("/").length).join("/"), pattern);

/** The members of a struct: those in sight, then those below "More". */
function Members({ schema, path, value, onChange, tag }: { schema: Schema; path: string; value: Struct; onChange: (value: unknown) => void; tag?: string }) {
  const { brief, hide, order = [], mine } = useScope();
  const all = Object.entries(schema.properties ?? {}).filter(([name]) => name !== tag && !hide?.some((one) => fitsPattern(below(path, name), one)));
  const rank = (name: string): number => {
    const found = order.findIndex((one) => fitsPattern(below(path, name), one));
    return found === -1 ? order.length : found;
  };
  const sorted = order.length ? all.toSorted(([a], [b]) => rank(a) - rank(b)) : all;
  const decides = brief?.some((one) => one.split("/").length === path.split("/").length + 1 && covers(path || "", one.slice(0, path.length)));
  const inSight = (name: string): boolean => !decides || brief!.some((one) => fitsPattern(below(path, name), one));
  const field = ([name, one]: [string, Schema]): ComponentChildren => (
    <Node key={name} name={name} schema={one} path={below(path, name)} value={value[name]} required={schema.required?.includes(name)} onChange={(next) => onChange({ ...value, [name]: next })} />
  );
  const more = sorted.filter(([name]) => !inSight(name));
  const trouble = more.some(([name]) => mine.some((problem) => covers(below(path, name), problem.path)));
  return (
    <>
      <div class="schema-members">{sorted.filter(([name]) => inSight(name)).map(field)}</div>
      {more.length > 0 && <More open={trouble}>{more.map(field)}</More>}
    </>
  );
}

function More({ open, children }: { open: boolean; children: ComponentChildren }) {
  const [wanted, want] = useState(false);
  return (
    <details class="schema-more" open={open || wanted} onToggle={(event) => want(event.currentTarget.open)}>
      <summary>{t("more")}</summary>
      <div class="schema-members">{children}</div>
    </details>
  );
}

interface NodeProps {
  name: string;
  schema: Schema;
  path: string;
  value: unknown;
  onChange: (value: unknown) => void;
  required?: boolean | undefined;
}

function Node({ name, schema: given, path, value: has, onChange }: NodeProps) {
  const scope = useScope();
  const { inner, nullable } = withoutNull(resolve(given, scope.root), scope.root);
  const value = has === undefined ? (given.default ?? inner.default) : has;
  const wide = inner.properties !== undefined || inner.anyOf !== undefined || inner.type === "array" || inner.type === "object";
  const problems = scope.mine.filter((problem) => problem.path === path || (!wide && covers(path, problem.path)));
  const description = at(scope.hints, path) ?? told(given.description ?? (wide && given.$ref ? "" : (inner.description ?? "")));
  const field: SchemaField = {
    path,
    title: at(scope.titles, path) ?? titleOf(name, given),
    hint: hintOf(description, at(scope.hints, path) === "" ? "" : limits(inner)),
    schema: inner,
    value,
    onChange,
    error: path === "" ? undefined : problems.map((one) => one.message).join("; ") || undefined,
    disabled: typeof scope.readOnly === "function" ? scope.readOnly(path) : scope.readOnly === true,
    nullable,
  };
  const own = at(scope.render, path);
  if (own) return <>{own(field)}</>;
  return <Standard {...field} />;
}

/** What a setting means and what it may be, not said twice. */
const hintOf = (description: string, limit: string): string => (description.includes(limit) ? description : [description, limit].filter(Boolean).join(" · "));

/** How a setting of its kind is shown where nobody shows it otherwise. */
export function Standard(field: SchemaField) {
  const { choices, values, root } = useScope();
  const { schema, path, nullable } = field;
  const offered = at(choices, path);
  if (offered) return <OneOf {...field} offered={offered} />;
  if (schema.writeOnly) return <SecretField {...field} />;
  if (schema.const !== undefined || (schema.enum?.length === 1 && !nullable)) return null;
  if (schema.enum) return <OneOf {...field} offered={schema.enum.map((one) => ({ value: one, label: wordOf(one, values) }))} />;
  const union = branches(schema, root);
  if (union || schema.properties) return <Group {...field} />;
  if (schema.type === "array") return <Entries {...field} />;
  if (schema.type === "object") return <Pairs {...field} />;
  return <Leaf {...field} />;
}

const wordOf = (value: unknown, values?: Record<string, string>): string => values?.[String(value)] ?? told(typeof value === "string" && /^[a-z]/.test(value) ? pretty(value) : String(value));

function OneOf({ offered, title, hint, error, value, onChange, disabled, nullable, path }: SchemaField & { offered: readonly SchemaChoice[] }) {
  const choices = offered.map((one) => (typeof one === "string" ? { value: one as unknown, label: one } : one));
  const all = nullable ? [{ value: null as unknown, label: t("none") }, ...choices] : choices;
  return <Select name={path} label={title} hint={hint} error={error} value={value === undefined ? null : value} onChange={onChange} choices={all} disabled={disabled} />;
}

function Leaf({ schema, title, hint, error, value, onChange, disabled, nullable, path }: SchemaField) {
  const common = { name: path, label: title, hint, error, disabled };
  const [visited, leave] = useState(false);
  switch (schema.type) {
    case "boolean":
      if (nullable) return <OneOf {...{ schema, path, title, hint, error, value, onChange, disabled, nullable }} offered={[{ value: true, label: t("on") }, { value: false, label: t("off") }]} />;
      return <Toggle {...common} checked={value === true} onChange={onChange} />;
    case "integer":
    case "number":
      return <NumberField {...common} value={typeof value === "number" ? value : null} onChange={onChange} min={schema.minimum} max={schema.maximum} step={schema.type === "integer" ? 1 : "any"} nullable={nullable} />;
    default: {
      const text = typeof value === "string" ? value : value === null || value === undefined ? "" : JSON.stringify(value);
      const misfit = visited && text !== "" && patternOf(schema)?.test(text) === false ? t("misfit") : undefined;
      return (
        <TextField {...common} error={error ?? misfit} value={text} rows={(schema.maxLength ?? 0) > 1000 && schema.pattern === undefined ? 3 : 1} maxLength={schema.maxLength} onBlur={() => leave(true)} onChange={(next) => onChange(nullable && next === "" ? null : next)} />
      );
    }
  }
}

/** A secret goes in and never comes out: what stands for it goes in again. */
export function SecretField({ title, hint, error, value, onChange, disabled, path }: SchemaField) {
  const [before] = useState(value);
  const isSet = typeof value === "object" && value !== null;
  const wasSet = typeof before === "object" && before !== null;
  const [typing, type] = useState(false);
  if (isSet && !typing)
    return (
      <Field label={title} hint={hint} error={error} name={path}>
        {(control) => (
          <span class="secret">
            <input {...control} value="••••••••" readOnly disabled={disabled} aria-label={`${title}: ${t("set")}`} />
            {!disabled && (
              <>
                <Button small onClick={() => (type(true), onChange(""))}>{t("replace")}</Button>
                <Button small kind="quiet" onClick={() => (type(true), onChange(""))}>{t("remove")}</Button>
              </>
            )}
          </span>
        )}
      </Field>
    );
  return (
    <div class="secret-typed">
      <TextField name={path} label={title} hint={hint} error={error} type="password" autocomplete="new-password" value={typeof value === "string" ? value : ""} placeholder={wasSet ? t("removed") : t("notSet")} onChange={onChange} disabled={disabled} />
      {wasSet && (
        <Button small kind="quiet" onClick={() => (type(false), onChange(before))}>
          {t("keep")}
        </Button>
      )}
    </div>
  );
}

/** A struct or one of several kinds of it, with a frame and, where it may be absent, a switch. */
function Group(field: SchemaField) {
  const { root, values } = useScope();
  const { schema, title, hint, error, value, onChange, disabled, nullable, path } = field;
  const union = branches(schema, root);
  const id = useId();
  const there = value !== null && value !== undefined;
  const struct = (there ? value : {}) as Struct;
  const kind = union && String(struct[union.tag] ?? "");
  const shown = union ? union.kinds[kind ?? ""] : schema;
  return (
    <fieldset class={join("schema-group", error && "field-wrong")} aria-describedby={hint ? `${id}-hint` : undefined} data-field={path}>
      <legend>{title}</legend>
      {hint && <p class="hint" id={`${id}-hint`}>{hint}</p>}
      {error && <p class="error" role="alert">{error}</p>}
      {nullable && <Toggle label={t("use")} checked={there} disabled={disabled} onChange={(on) => onChange(on ? filled(schema, root) : null)} />}
      {there && union && (
        <Select name={below(path, union.tag)} label={t("kind")} value={kind} disabled={disabled} choices={Object.keys(union.kinds).map((one) => ({ value: one as string | null, label: wordOf(one, values) }))} onChange={(next) => onChange(turnInto(struct, String(next), union, root))} />
      )}
      {there && shown && <Members schema={shown} path={path} value={struct} onChange={onChange} tag={union?.tag} />}
    </fieldset>
  );
}

/** A first value of what may be absent. */
const filled = (schema: Schema, root: Schema): unknown => make({ ...schema, default: undefined }, root);

function Entries(field: SchemaField) {
  const { values, root, entry } = useScope();
  const { schema, title, hint, error, value, onChange, disabled, nullable, path } = field;
  const entries = (value ?? []) as unknown[];
  const items = resolve(schema.items ?? {}, root);
  if (items.enum) {
    const choices = items.enum.map((one) => ({ value: String(one), label: wordOf(one, values) }));
    return <Checks name={path} label={title} hint={hint} error={error} values={entries as string[]} choices={choices} disabled={disabled} onChange={(next) => onChange(nullable && !next.length ? null : next)} />;
  }
  const full = schema.maxItems !== undefined && entries.length >= schema.maxItems;
  const change = (n: number, next: unknown): void => onChange(entries.map((one, at) => (at === n ? next : one)));
  return (
    <fieldset class={join("schema-group schema-list", error && "field-wrong")} data-field={path}>
      <legend>{title}</legend>
      {hint && <p class="hint">{hint}</p>}
      {error && <p class="error" role="alert">{error}</p>}
      <ol>
        {entries.map((one, n) => (
          <li key={n}>
            <Node name={entry?.(path, one, n) ?? t("entry", { n: n + 1 })} schema={{ ...items, title: entry?.(path, one, n) ?? t("entry", { n: n + 1 }) }} path={below(path, n)} value={one} onChange={(next) => change(n, next)} />
            {!disabled && <RemoveButton at={n} onClick={() => onChange(entries.filter((_, at) => at !== n))} />}
          </li>
        ))}
      </ol>
      {!disabled && (
        <Button small icon="plus" disabled={full} onClick={() => onChange([...entries, make(items, root)])} aria-label={`${t("add")}: ${title}`}>
          {t("add")}
        </Button>
      )}
    </fieldset>
  );
}

/** Names with values, such as the headers of a request. */
function Pairs({ schema, title, hint, error, value, onChange, disabled, path }: SchemaField) {
  const { root } = useScope();
  const inner = typeof schema.additionalProperties === "object" ? schema.additionalProperties : {};
  const pairs = Object.entries((value ?? {}) as Struct);
  const tell = (next: [string, unknown][]): void => onChange(Object.fromEntries(next));
  return (
    <fieldset class={join("schema-group schema-list", error && "field-wrong")} data-field={path}>
      <legend>{title}</legend>
      {hint && <p class="hint">{hint}</p>}
      {error && <p class="error" role="alert">{error}</p>}
      <ol>
        {pairs.map(([name, one], n) => (
          <li key={n} class="schema-pair">
            <TextField label={t("key")} value={name} disabled={disabled} onChange={(next) => tell(pairs.map((pair, at) => (at === n ? [next, one] : pair)))} />
            <Node name={t("value")} schema={inner} path={below(path, name)} value={one} onChange={(next) => tell(pairs.map((pair, at) => (at === n ? [name, next] : pair)))} />
            {!disabled && <RemoveButton at={n} onClick={() => tell(pairs.filter((_, at) => at !== n))} />}
          </li>
        ))}
      </ol>
      {!disabled && (
        <Button small icon="plus" disabled={pairs.some(([name]) => name === "")} onClick={() => tell([...pairs, ["", make(inner, root)]])} aria-label={`${t("add")}: ${title}`}>
          {t("add")}
        </Button>
      )}
    </fieldset>
  );
}

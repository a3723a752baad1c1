// A form for one entry of a list, made of what the device says about its settings: a field for each,
// which says itself what is wrong with what was entered.

import { $, h, keep, setText } from "./dom.js";

const WORDS = { normal: "Normal", low: "Low", ultra_low: "Ultra low", opus: "Opus", G722: "G.722", calls: "Page calls", clips: "Clips" };
const wordsOf = (value) => WORDS[value] ?? String(value);
let fields = 0;

/** about: the schema of the entry. brief: names of the fields that are always in sight; the others are
 *  below "More". others: fields that people are not asked for. choices: of a text, by its name, a
 *  function that gives what it may be. */
export class Form {
  constructor(place, about, { brief, others = [], choices = {} }) {
    this.place = place;
    this.before = {};
    this.fields = new Map();
    const more = h("div.more-fields");
    const basic = h("div.fields");
    for (const [name, schema] of Object.entries(about.properties)) {
      if (name === "kind" || others.includes(name)) continue;
      const field = makeField(name, schema, choices[name], !brief.includes(name));
      this.fields.set(name, field);
      (brief.includes(name) ? basic : more).append(field.place);
    }
    this.more = h("details.all-fields", {}, h("summary", {}, "More"), more);
    place.replaceChildren(basic, ...(more.children.length ? [this.more] : []));
  }

  /** Show these values; what they do not say is as the device has it when nobody says it. */
  fill(values) {
    this.before = values;
    for (const [name, field] of this.fields) field.show(name in values ? values[name] : field.standard);
    this.more.open = false;
    this.refuse([]);
  }

  /** What was entered; what nobody has touched, or is asked for, is as in `now`, the values by now. */
  read(now = this.before) {
    const read = { ...now };
    for (const [name, field] of this.fields) {
      const entered = field.read(this.before[name]);
      const shown = name in this.before ? this.before[name] : field.standard;
      if (!(name in now) || JSON.stringify(entered) !== JSON.stringify(shown)) read[name] = entered;
    }
    return read;
  }

  /** Say each problem at the field that its path names, below the prefix; gives those of no field. */
  refuse(problems, prefix = "") {
    const said = new Map([...this.fields.keys()].map((name) => [name, []]));
    const left = [];
    for (const { path = "", message } of problems) {
      const name = path.startsWith(prefix) ? path.slice(prefix.length).split("/")[0] : "";
      (said.get(name) ?? left).push(message);
    }
    for (const [name, words] of said) {
      const { place } = this.fields.get(name);
      setText($(".error", place), words.join("; "));
      $("input, select", place).setAttribute("aria-invalid", String(words.length > 0));
      if (words.length && this.more.contains(place)) this.more.open = true;
    }
    return left;
  }
}

/** One field: its place, how it is shown and read, and what it is where nobody says anything. */
function makeField(name, schema, choices, hinted) {
  const inner = schema.anyOf?.find(({ type }) => type !== "null") ?? schema;
  const id = `entry-${++fields}`;
  const kind = KINDS[kindOf(inner, choices)];
  const error = h("p.error", { role: "alert", id: `${id}-error` });
  const made = kind({ id, name, title: schema.title, inner, choices, nullable: inner !== schema, error: error.id });
  const place = h("div.field", { "data-field": name }, ...made.elements);
  if (hinted && schema.description) place.append(h("p.hint", {}, schema.description));
  place.append(error);
  return { place, show: made.show, read: made.read, standard: schema.default ?? made.empty };
}

function kindOf({ type, enum: values, writeOnly, items }, choices) {
  if (writeOnly) return "secret";
  if (values || choices) return "select";
  if (type === "array") return items.enum ? "several" : "list";
  return { boolean: "switch", integer: "number", number: "number" }[type] ?? "text";
}

const labelled = (id, title, ...controls) => [h("label", { for: id }, title), ...controls];
const plain = { autocomplete: "off", autocapitalize: "none", spellcheck: "false" };

// Each makes the elements of a field; empty: its value where nothing is said.
const KINDS = {
  text({ id, name, title, error, inner }) {
    const input = h("input", { id, name, "aria-describedby": error, maxlength: inner.maxLength, ...plain });
    return { elements: labelled(id, title, input), empty: "", show: (value) => { input.value = value; }, read: () => input.value.trim() };
  },
  number({ id, name, title, inner, error, nullable }) {
    const input = h("input", { id, name, type: "number", min: inner.minimum, max: inner.maximum, step: inner.type === "integer" ? 1 : "any", "aria-describedby": error });
    return { elements: labelled(id, title, input), empty: nullable ? null : "", show: (value) => { input.value = value ?? ""; },
      read: () => (input.value === "" ? (nullable ? null : "") : Number(input.value)) };
  },
  switch({ id, name, title }) {
    const input = h("input", { id, name, type: "checkbox" });
    return { elements: [h("label.switch.row", {}, input, h("span"), title)], empty: false, show: (value) => { input.checked = value; }, read: () => input.checked };
  },
  select({ id, name, title, inner, error, nullable, choices }) {
    const select = h("select", { id, name, "aria-describedby": error });
    const offered = (chosen) => (choices ? ["", ...choices(), chosen] : [...(nullable ? [null] : []), ...inner.enum]);
    const show = (value) => {
      const values = [...new Set(offered(value))].map((one) => JSON.stringify(one));
      keep(select, values, (one) => one, (one) => h("option", { value: one }, wordsOf(JSON.parse(one) || "–")), () => {});
      select.value = JSON.stringify(value);
    };
    return { elements: labelled(id, title, select), empty: nullable ? null : choices ? "" : inner.enum[0], show, read: () => JSON.parse(select.value) };
  },
  list({ id, name, title, error }) { // texts with commas between them
    const input = h("input", { id, name, "aria-describedby": error, ...plain });
    return { elements: labelled(id, title, input), empty: [], show: (value) => { input.value = value.join(", "); },
      read: () => input.value.split(/[\s,]+/).filter(Boolean) };
  },
  several({ name, title, inner }) {
    const boxes = inner.items.enum.map((value) => h("input", { type: "checkbox", name, value }));
    const labels = boxes.map((box) => h("label.check", {}, box, wordsOf(box.value)));
    return { elements: [h("fieldset.checks", {}, h("legend", {}, title), ...labels)], empty: [],
      show: (value) => { for (const box of boxes) box.checked = value.includes(box.value); },
      read: () => boxes.filter((box) => box.checked).map((box) => box.value) };
  },
  secret({ id, name, title, error }) { // goes in and never comes out: what stands for it goes in again
    const input = h("input", { id, name, type: "password", "aria-describedby": error, ...plain, autocomplete: "new-password" });
    const gone = h("input", { type: "checkbox", onchange: () => { input.disabled = gone.checked; } });
    const none = h("label.check", {}, gone, "Remove it");
    const show = (value) => {
      const there = Boolean(value) && typeof value === "object";
      input.value = typeof value === "string" ? value : "";
      input.placeholder = there ? "unchanged" : "";
      gone.checked = input.disabled = false;
      none.hidden = !there;
    };
    return { elements: labelled(id, title, input, none), empty: "", show, read: (before) => (gone.checked ? "" : input.value.trim() || before || "") };
  },
};

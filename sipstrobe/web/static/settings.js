// Settings in the page: each element with data-setting becomes a labelled control, made of what the
// device says about that setting, and says itself what is wrong with what was entered.

import { ask, say } from "./api.js";
import { $, h, keep, setText } from "./dom.js";
import { decibels } from "./words.js";

const LATER = 250; // milliseconds that a slider stands still until its value is sent
let fields = 0;

/** One section of the settings: its values, what may stand in their place, and how to change them. */
export class Section {
  constructor(name, changed = () => {}) {
    this.name = name;
    this.values = null;
    this.revision = 0;
    this.asked = 0;
    this.told = 0;
    this.changed = changed; // called when there are new values
    this.waiting = new Map();
  }

  /** Ask for the values and show them. */
  async read() {
    const turn = ++this.asked;
    try {
      const told = await ask("GET", `/api/v1/settings/${this.name}`);
      if (turn < this.told) return; // one that was asked later is here already
      this.told = turn;
      Object.assign(this, { values: told.settings, revision: told.revision, schema: told.schema, system: told.system });
    } catch (problem) {
      say(problem.message);
      return;
    }
    for (const place of this.places()) this.show(place);
    this.changed(this.values);
  }

  /** Merge a patch; throws an Error with problems. exactly: refused if anything has changed since
   *  the values were read, as what replaces a whole list must be. */
  async change(patch, exactly = false) {
    const headers = exactly ? { "If-Match": `"${this.revision}"` } : {};
    await ask("PATCH", `/api/v1/settings/${this.name}`, patch, headers);
    await this.read();
  }

  /** Does a change that the device has told of concern this section? */
  concerns(paths) {
    return paths.split(" ").some((path) => path.startsWith(`/${this.name}`));
  }

  at(path) {
    return path.split("/").reduce((value, step) => value?.[step], this.values);
  }

  /** What the device says about the setting at a path: title, description, limits. */
  about(path) {
    const resolve = (part) => (part.$ref ? { ...this.schema.$defs[part.$ref.split("/").at(-1)], ...part } : part);
    return path.split("/").reduce((part, step) => resolve(part.properties[step]), resolve(this.schema));
  }

  places() {
    return document.querySelectorAll(`[data-setting^="${this.name}/"]`);
  }

  show(place) {
    const path = place.dataset.setting.slice(this.name.length + 1);
    if (!place.firstElementChild) this.build(place, path);
    const control = $("[data-control]", place);
    const mayNot = document.body.classList.contains("viewer")
      || (this.system.includes(`/${this.name}/${path}`) && !document.body.classList.contains("administrator"));
    const kind = KINDS[place.dataset.as];
    control.disabled = mayNot;
    const entered = kind.typed && (document.activeElement === control || $(".error", place).textContent);
    if (!this.waiting.has(path) && !entered) kind.show(control, this.at(path), place);
  }

  build(place, path) {
    const about = this.about(path);
    const id = `field-${++fields}`;
    const send = (value) => this.later(path, value, place, place.dataset.as === "slider" ? LATER : 0);
    const error = h("p.error", { role: "alert", id: `${id}-error` });
    place.classList.add("field");
    KINDS[place.dataset.as].build(place, { ...about, title: place.dataset.label ?? about.title }, id, send);
    if (place.dataset.hint !== undefined) place.append(h("p.hint", {}, place.dataset.hint || about.description));
    place.append(error);
    $("[data-control]", place).setAttribute("aria-describedby", error.id);
  }

  later(path, value, place, wait) {
    clearTimeout(this.waiting.get(path));
    this.waiting.set(path, setTimeout(() => this.send(path, value, place), wait));
  }

  async send(path, value, place) {
    this.waiting.delete(path);
    const error = $(".error", place);
    try {
      setText(error, "");
      await this.change(path.split("/").reduceRight((inner, step) => ({ [step]: inner }), value));
    } catch (problem) {
      setText(error, problem.message);
      this.show(place);
    }
  }
}

/** Show where a slider of decibels stands. */
export function slide(input, words) {
  setText(words, decibels(input.value));
  input.style.setProperty("--share", (input.value - input.min) / (input.max - input.min));
}

// --- kinds of controls ------------------------------------------------------------------------

const KINDS = {
  slider: { // a number of decibels
    build(place, { title, minimum, maximum }, id, send) {
      const words = h("output", { for: id });
      const input = h("input", { id, type: "range", min: minimum, max: maximum, step: place.dataset.step ?? 1, "data-control": true,
        oninput: () => slide(input, words), onchange: () => send(Number(input.value)) });
      place.append(h("label", { for: id }, title), words, input);
    },
    show(input, value, place) {
      input.value = value;
      slide(input, $("output", place));
    },
  },
  switch: {
    build(place, { title }, id, send) {
      const input = h("input", { id, type: "checkbox", "data-control": true, onchange: () => send(input.checked) });
      place.append(h("label.switch.row", {}, input, h("span"), title));
    },
    show(input, value) { input.checked = value; },
  },
  toggle: { // a switch that says what it does
    build(place, { title }, id, send) {
      const button = h("button.toggle", { id, type: "button", "data-control": true, "aria-pressed": "false", onclick: () => {
        const on = button.getAttribute("aria-pressed") !== "true";
        button.setAttribute("aria-pressed", String(on));
        send(on);
      } }, title);
      place.append(button);
    },
    show(button, value) { button.setAttribute("aria-pressed", String(value)); },
  },
  text: {
    build(place, { title }, id, send) {
      const input = h("input", { id, "data-control": true, autocomplete: "off", autocapitalize: "none", spellcheck: "false",
        placeholder: place.dataset.placeholder, onchange: () => send(input.value) });
      place.append(h("label", { for: id }, title), input);
    },
    typed: true, // what was typed stays until it is right
    show(input, value) { input.value = value; },
  },
  number: {
    build(place, { title, type, minimum, maximum }, id, send) {
      const input = h("input", { id, type: "number", min: minimum, max: maximum, step: type === "integer" ? 1 : "any", "data-control": true,
        onchange: () => send(input.value === "" ? "" : Number(input.value)) });
      place.append(h("label", { for: id }, title), h("span.unit", { "data-unit": place.dataset.unit }, input));
    },
    typed: true, // what was typed stays until it is right
    show(input, value) { input.value = value; },
  },
  select: { // values and their words: "1=one,2=two"
    build(place, { title }, id, send) {
      const select = h("select", { id, "data-control": true, onchange: () => send(JSON.parse(select.value)) });
      const choices = place.dataset.choices.split(",").map((choice) => choice.split("="));
      keep(select, choices, ([value]) => value, ([value, words]) => h("option", { value }, words), () => {});
      place.append(h("label", { for: id }, title), select);
    },
    show(select, value) { select.value = JSON.stringify(value); },
  },
  choice: { // a few values side by side
    build(place, { title }, id, send) {
      const choices = place.dataset.choices.split(",").map((choice) => choice.split("="));
      const radios = choices.map(([value, words]) => h("label", {},
        h("input", { type: "radio", name: id, value, onchange: () => send(value) }), h("span", {}, words)));
      place.append(h("fieldset.choice", { "data-control": true }, h("legend.hidden", {}, title), ...radios));
    },
    show(fieldset, value) {
      for (const radio of fieldset.querySelectorAll("input")) radio.checked = radio.value === value;
    },
  },
};

// The view of digits: sequences that cause events, what was pressed, and digits that are sent.

import { attempt, ask } from "./api.js";
import { $, h, keep, setText } from "./dom.js";
import { partyOf } from "./parties.js";
import { Section } from "./settings.js";
import * as views from "./views.js";
import { party } from "./words.js";

const PRESSED = 40; // digits and sequences that are remembered
const PAUSE = 10; // seconds after which the digits of a call are listed anew

const section = new Section("dtmf", ({ sequences }) => showSequences(sequences));
let accounts = [];
let pressed = [];

views.add("digits", {
  enter: () => section.read(),
  state(state) {
    accounts = state.registrations.map(({ account }) => account);
    showAccounts();
    showCallChoice(state.calls.filter(({ state }) => state === "active"));
  },
  events(events) {
    if (events.some(({ name, items }) => name === "device/settings" && section.concerns(items.paths))) section.read();
  },
});

// --- sequences --------------------------------------------------------------------------------

const form = $("#sequence");
let edited = null; // the index of the sequence that the form shows; null: a new one

function showSequences(sequences) {
  $(".sequences").classList.toggle("busy", sequences.length > 0);
  const items = sequences.map((sequence, at) => ({ ...sequence, at }));
  keep($("#sequences"), items, (s) => `${s.sequence} ${s.held}`, () => {
    const row = h("li.sequence", {},
      h("code"), h("div.what", {}, h("strong"), h("small")),
      h("div.acts", { "data-operator": true },
        h("button.quiet", { onclick: () => edit(Number(row.dataset.at)) }, "Edit"),
        h("button.quiet", { onclick: () => remove(Number(row.dataset.at)) }, "Delete")));
    return row;
  }, updateSequence);
}

function updateSequence(row, { sequence, name, accounts: heard, held, at }) {
  row.dataset.at = at;
  setText($("code", row), sequence);
  setText($("strong", row), name);
  setText($("small", row), [heard.length ? `in calls of ${heard.join(", ")}` : "", held ? "long press" : ""].filter(Boolean).join(" · "));
  $(".acts", row).setAttribute("aria-label", `${sequence}: ${name}`);
}

function showAccounts() {
  keep($("#sequence-accounts"), accounts, (name) => name, (name) =>
    h("label.check", {}, h("input", { type: "checkbox", name: "accounts", value: name }), name), () => {});
  $("#of-accounts").hidden = accounts.length < 2;
}

function edit(at) {
  const { sequence, name, accounts: heard, held } = section.values.sequences[at];
  edited = at;
  Object.assign(form.elements.sequence, { value: sequence });
  form.elements.name.value = name;
  form.elements.held.checked = held;
  for (const box of form.querySelectorAll("[name=accounts]")) box.checked = heard.includes(box.value);
  $("#of-accounts").open = heard.length > 0;
  setText($("button.primary", form), "Save");
  $("#cancel-sequence").hidden = false;
  refuse([]);
  form.elements.sequence.focus();
}

function clear() {
  edited = null;
  form.reset();
  setText($("button.primary", form), "Add");
  $("#cancel-sequence").hidden = true;
  refuse([]);
}

const remove = (at) => attempt(async () => {
  await section.change({ sequences: section.values.sequences.toSpliced(at, 1) }, true);
  clear();
});

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { elements } = form;
  const wanted = {
    sequence: elements.sequence.value.trim().toUpperCase(), name: elements.name.value.trim(), held: elements.held.checked,
    accounts: new FormData(form).getAll("accounts"),
  };
  const before = section.values.sequences;
  const at = edited ?? before.length;
  try {
    await section.change({ sequences: before.toSpliced(at, 1, wanted) }, true);
    clear();
  } catch (problem) {
    refuse(problem.problems ?? [problem]);
    if (problem.status === 412) section.read();
  }
});
form.addEventListener("keydown", ({ key }) => { if (key === "Escape") clear(); });
$("#cancel-sequence").addEventListener("click", clear);

/** Say each problem at the field that it names, and the others below. */
function refuse(problems) {
  const said = { sequence: [], name: [], other: [] };
  for (const { path, message } of problems) (said[path?.split("/").at(-1)] ?? said.other).push(message);
  for (const name of ["sequence", "name"]) {
    setText($(`#${name}-error`), said[name].join("; "));
    form.elements[name].setAttribute("aria-invalid", String(said[name].length > 0));
  }
  setText($("#other-error"), said.other.join("; "));
}

// --- what was pressed -------------------------------------------------------------------------

/** Digits of one call that follow each other are one line; so is each sequence. */
export function hear(events, clock) {
  for (const { name, items, at } of events) {
    if (name !== "call/digit" && name !== "call/dtmf") continue;
    const last = pressed[0];
    if (name === "call/digit" && last?.call === items.call && !last.event && at - last.at < PAUSE)
      pressed[0] = { ...last, digits: (last.digits + items.digit).slice(-64), at };
    else {
      const what = name === "call/dtmf" ? { event: items.name, digits: items.sequence } : { digits: items.digit };
      pressed.unshift({ ...what, call: items.call, at, key: `${name} ${at}`, time: clock(at) });
    }
  }
  pressed = pressed.slice(0, PRESSED);
  $(".pressed").classList.toggle("busy", pressed.length > 0);
  keep($("#pressed"), pressed, (p) => p.key, (p) =>
    h("li.press", { "data-event": p.event ? "yes" : null }, h("time", {}, p.time), h("code"), h("strong", {}, p.event ?? ""), h("small", {}, partyOf(p.call))), (row, p) =>
    setText($("code", row), p.digits));
}

export function forget() {
  pressed = [];
}

// --- digits that are sent ---------------------------------------------------------------------

const dial = $("#send-digits");

function showCallChoice(calls) {
  keep(dial.elements.call, [{ id: "" }, ...calls], (call) => call.id, ({ id, remote_uri }) =>
    h("option", { value: id }, id ? party(remote_uri) : "All active calls"), () => {});
  dial.elements.call.hidden = calls.length < 2;
  $("button", dial).disabled = !calls.length;
  setText($(".hint", dial), calls.length ? "" : "There is no active call.");
}

dial.addEventListener("submit", (event) => {
  event.preventDefault();
  const { call, digits } = dial.elements;
  sendDigits(call.value || null, digits, $(".error", dial));
});

/** Send what an input holds, in one call or (null) in all; empty it when that was done. */
export async function sendDigits(call, input, error) {
  setText(error, "");
  try {
    await ask("POST", "/api/v1/commands/send-digits", { call, digits: input.value.trim() });
    input.value = "";
  } catch (problem) {
    setText(error, problem.message);
  }
}

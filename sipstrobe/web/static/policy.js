// Who is heard with whom: the table of kinds, what the owner has changed in it, and its editor.

import { ask, say } from "./api.js";
import { $, h, keep, setText } from "./dom.js";
import { slide } from "./settings.js";
import { decibels, kindOf } from "./words.js";

const KINDS = ["page", "call", "siren", "clip", "tone"];
const SOFTER = -12; // dB, where nothing else is known

let standard = []; // the device's own table
let own = []; // what differs from it
let edited = null; // the pair that the editor shows
let send = null;

/** change(rules): store the owner's rules; throws an Error with problems. */
export function onChange(change) {
  send = change;
}

export async function read() {
  if (standard.length) return;
  try {
    ({ policy: standard } = await ask("GET", "/api/v1/sound/policy"));
  } catch (problem) {
    say(problem.message);
  }
}

export function showOwn({ policy }) {
  own = policy;
  const rows = KINDS.map((over) => ({ over, cells: KINDS.map((under) => ({ over, under })) }));
  keep($("#policy thead tr"), ["", ...KINDS], (kind) => kind, (kind) =>
    h(kind ? "th" : "td", { scope: "col" }, kind && kindOf(kind)), () => {});
  keep($("#policy tbody"), rows, (row) => row.over, ({ over }) => h("tr", {}, h("th", { scope: "row" }, kindOf(over))), (row, { cells }) => {
    for (const [n, cell] of cells.entries()) updateCell(row.children[n + 1] ?? row.appendChild(makeCell(cell)), cell);
  });
  $("#reset-policy").hidden = !own.length;
  if (edited) showEditor();
}

const same = (pair) => (rule) => rule.over === pair.over && rule.under === pair.under;
const ruleFor = (pair) => own.find(same(pair)) ?? standard.find(same(pair)) ?? { ...pair, does: "mix", duck_db: SOFTER };
const effect = ({ does, duck_db }) => ({ mix: "both", alone: "silent", full: "silent, full", duck: decibels(duck_db) })[does];
const inWords = ({ does, duck_db }) =>
  ({
    mix: "both are heard",
    alone: "the lower one is silent",
    full: "the lower one is silent, the higher one has the emergency volume",
    duck: `the lower one is softer by ${-duck_db} dB`,
  })[does];

function makeCell(pair) {
  return h("td", {}, h("button", { type: "button", "aria-haspopup": "true", onclick: () => {
    edited = pair;
    showEditor();
    editor.scrollIntoView({ block: "nearest" });
    $("input:checked", editor).focus();
  } }));
}

function updateCell(cell, pair) {
  const rule = ruleFor(pair);
  const button = cell.firstElementChild;
  const mine = own.some(same(pair));
  cell.dataset.does = rule.does;
  cell.classList.toggle("own", mine);
  button.disabled = document.body.classList.contains("viewer");
  setText(button, effect(rule));
  button.setAttribute("aria-label", `${kindOf(pair.over)} over ${kindOf(pair.under)}: ${inWords(rule)}${mine ? ", changed" : ""}`);
  button.setAttribute("aria-pressed", String(edited !== null && same(pair)(edited)));
}

// --- the editor -------------------------------------------------------------------------------

const editor = $("#policy-editor");

function showEditor() {
  const rule = ruleFor(edited);
  const usual = standard.find(same(edited));
  editor.hidden = false;
  setText($("legend", editor), `${kindOf(edited.over)} over ${kindOf(edited.under).toLowerCase()}`);
  for (const radio of editor.elements.does) radio.checked = radio.value === rule.does;
  editor.elements.duck.value = rule.duck_db;
  slide(editor.elements.duck, $("output", editor));
  $(".duck", editor).hidden = rule.does !== "duck";
  setText($(".usual", editor), usual ? `The device's own: ${inWords(usual)}.` : "");
  $("#reset-pair").hidden = !own.some(same(edited));
  for (const cell of document.querySelectorAll("#policy td button"))
    cell.setAttribute("aria-pressed", String(cell === cellOf(edited)));
}

const cellOf = ({ over, under }) =>
  $(`#policy tr[data-key="${over}"]`).children[KINDS.indexOf(under) + 1].firstElementChild;

editor.addEventListener("submit", (event) => event.preventDefault());
editor.elements.duck.addEventListener("input", ({ target }) => slide(target, $("output", editor)));
editor.addEventListener("change", () => {
  const wanted = { ...edited, does: editor.elements.does.value, duck_db: Number(editor.elements.duck.value) };
  const usual = standard.find(same(edited));
  const usually = usual && usual.does === wanted.does && (wanted.does !== "duck" || usual.duck_db === wanted.duck_db);
  store([...own.filter((rule) => !same(edited)(rule)), ...(usually ? [] : [wanted])]);
});
$("#reset-pair").addEventListener("click", async () => {
  await store(own.filter((rule) => !same(edited)(rule)));
  $("input:checked", editor).focus(); // the button has gone
});
$("#reset-policy").addEventListener("click", () => store([]));
$("#close-policy").addEventListener("click", close);
editor.addEventListener("keydown", ({ key }) => { if (key === "Escape") close(); });

function close() {
  const cell = cellOf(edited);
  edited = null;
  editor.hidden = true;
  cell.setAttribute("aria-pressed", "false");
  cell.focus();
}

async function store(rules) {
  try {
    await send(rules);
    setText($(".error", editor), "");
  } catch (problem) {
    setText($(".error", editor), problem.message);
    if (editor.hidden) say(problem.message);
    else showEditor();
  }
}

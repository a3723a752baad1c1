// Files become clips: chosen or dropped, sent one after the other, with their progress.

import { refusal } from "./api.js";
import { $, h, setText } from "./dom.js";
import { bytes } from "./words.js";

const NAME_MAX = 45; // characters
const TOO_LARGE = 413; // said by the server, which does not know what a clip is
const waiting = [];
let sending = false;
let added = async () => {};
let taken = () => [];

/** read: asks for the clips anew when one has come; names: those that there are. */
export function begin(read, names) {
  added = read;
  taken = names;
}

const chooser = $("#clip-files");
$("#add-clip").addEventListener("click", () => chooser.click());
chooser.addEventListener("change", () => {
  add(chooser.files);
  chooser.value = "";
});

const place = $("#drop");
for (const name of ["dragenter", "dragover"]) place.addEventListener(name, (event) => {
  if (!mayAdd(event)) return;
  event.preventDefault();
  place.classList.add("over");
});
place.addEventListener("dragleave", (event) => {
  if (!place.contains(event.relatedTarget)) place.classList.remove("over");
});
place.addEventListener("drop", (event) => {
  if (!mayAdd(event)) return;
  event.preventDefault();
  place.classList.remove("over");
  add(event.dataTransfer.files);
});

const mayAdd = ({ dataTransfer }) =>
  dataTransfer.types.includes("Files") && !document.body.classList.contains("viewer");

function add(files) {
  for (const file of files) {
    const row = h("li.upload", {}, h("div.what", {}, h("strong", {}, file.name), h("small", {}, bytes(file.size))),
      h("span.state", {}, "waits"), h("progress", { max: 1, value: 0, "aria-label": `Progress of ${file.name}` }), h("p.error", { role: "alert" }));
    $("#uploads").append(row);
    waiting.push({ file, row });
  }
  if (!sending) sendAll();
}

async function sendAll() {
  sending = true;
  while (waiting.length) {
    const { file, row } = waiting.shift();
    try {
      await send(file, row);
      row.remove();
      await added();
    } catch (problem) {
      refuse(row, problem.message);
    }
  }
  sending = false;
}

/** A refusal stays until somebody has read it. */
function refuse(row, words) {
  row.classList.add("refused");
  setText($(".error", row), words);
  setText($(".state", row), "refused");
  $("progress", row).remove();
  row.append(h("button.quiet", { "aria-label": "Dismiss", onclick: () => row.remove() }, "×"));
}

/** The name of a file, and a number where there is such a clip already. */
function freeName(name) {
  const names = new Set(taken());
  for (let n = 1; ; n++) {
    const end = n === 1 ? "" : ` ${n}`;
    const free = name.slice(0, NAME_MAX - end.length) + end;
    if (!names.has(free)) return free;
  }
}

function send(file, row) {
  const name = freeName(file.name.replace(/\.[^.]*$/, ""));
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest(); // the only one that tells how much was sent
    request.open("POST", `/api/v1/clips?name=${encodeURIComponent(name)}`);
    request.setRequestHeader("X-Requested-With", "page");
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.responseType = "json";
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      $("progress", row).value = loaded / total;
      setText($(".state", row), loaded < total ? `${Math.floor((100 * loaded) / total)} %` : "is decoded and measured");
    });
    request.addEventListener("load", () => {
      if (request.status < 300) done();
      else if (request.status === TOO_LARGE) failed(new Error(`the file is too large; ${$("#accepted").textContent}`));
      else failed(refusal(request.status, request.response ?? {}));
    });
    request.addEventListener("error", () => failed(new Error("the connection was lost")));
    request.send(file);
  });
}

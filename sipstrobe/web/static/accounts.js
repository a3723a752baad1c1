// Accounts: how each stands with its registrar, and where the device itself can be called.

import { $, h, keep, setText } from "./dom.js";

const STATES = { // words for a person, and how good that is
  registered: ["Registered", "good"], trying: ["Registering", "fair"], failed: ["Not registered", "bad"],
  given_up: ["Given up, tried slowly", "bad"], off: ["By address", "dim"],
};

export function showAccounts(accounts, total) {
  setText($("#account-count"), total > 1 ? String(total) : "");
  $(".accounts").classList.toggle("busy", accounts.length > 0);
  keep($("#accounts"), accounts, (a) => a.account, makeAccount, updateAccount);
  setText($("#more-accounts"), total > accounts.length ? `… and ${total - accounts.length} more, without trouble` : "");
}

function makeAccount({ account }) {
  return h("li.account", {}, h("i"), h("strong", {}, account), h("span.standing"), h("small.uri"), h("small.words"));
}

function updateAccount(row, { state, uri, server, until, words, problem }) {
  const [standing, grade] = STATES[state] ?? [state, "dim"];
  row.dataset.grade = grade;
  setText($(".standing", row), standing);
  setText($(".uri", row), [uri && uri.replace(/^sips?:/, ""), server && `at ${server.replace(/^sips?:/, "")}`].filter(Boolean).join(" "));
  const ends = until ? `until ${new Date(until).toLocaleTimeString([], { hour12: false, hour: "2-digit", minute: "2-digit" })}` : "";
  setText($(".words", row), problem || (state === "registered" ? ends : words ?? ""));
  row.classList.toggle("trouble", Boolean(problem));
}

/** Where we listen, and how we are seen from beyond a router. */
export function showReach(listening, nat) {
  keep($("#listening"), listening, (words) => words, (words) => h("li", {}, words), () => {});
  $("#nat").hidden = !nat.public && !nat.servers.length;
  $("#nat p").hidden = !nat.public;
  setText($("#nat strong"), nat.public);
  keep($("#nat ul"), nat.servers, (s) => s.kind + s.server, (s) =>
    h("li.account", {}, h("i"), h("strong", {}, `${s.kind} ${s.server}`), h("span.standing"), h("small.words")), updateServer);
}

function updateServer(row, { milliseconds, problem }) {
  row.dataset.grade = problem ? "bad" : milliseconds === null ? "fair" : "good";
  setText($(".standing", row), problem ? "Of no use" : milliseconds === null ? "Asked" : `${milliseconds.toFixed(0)} ms`);
  setText($(".words", row), problem);
  row.classList.toggle("trouble", Boolean(problem));
}

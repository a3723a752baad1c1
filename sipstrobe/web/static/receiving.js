// Whether pages are received at all, what is known of the network, and the relay.

import { $, setText } from "./dom.js";
import { Form } from "./form.js";

const STALE = 412;

const GRADES = { hearing: "good", deaf: "bad", "no querier": "fair", "cannot tell": "dim", idle: "dim" };
const RELAYS = { sending: "Sends", blocked: "Sends nothing", idle: "Waits for a sound" };
const form = $("#relay");
let relay = null;
let section = null;
let edited = false;

/** The section of the settings has new values; what somebody edits stays. */
export function show(multicast) {
  section = multicast;
  relay ??= new Form($("#relay-fields"), section.schema.$defs.RelaySettings, { brief: ["enabled", "sounds", "address", "port"] });
  if (!edited) relay.fill(section.values.relay);
  $("fieldset", form).disabled = document.body.classList.contains("viewer");
}

form.addEventListener("input", () => { edited = true; });

/** What the device tells of its groups. */
export function showState({ sources, joined, hearing, relay: told }) {
  setText($("#joined"), sources ? `${joined} of ${sources} ${sources === 1 ? "group is" : "groups are"} joined.` : "");
  const place = $("#hearing");
  place.dataset.grade = GRADES[hearing?.state] ?? "dim";
  setText(place, hearing?.words ?? "");
  const words = told && [told.state === "sending" && told.source ? `Sends ${told.source}` : RELAYS[told.state], told.problem,
    told.packets && `${told.packets.toLocaleString("en")} packets`].filter(Boolean).join(" · ");
  setText($("#relay-words"), section?.values.relay.enabled ? words : "");
  $("#relay-words").classList.toggle("broken", told?.state === "blocked");
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    await section.change({ relay: relay.read(section.values.relay) }, true);
    edited = false;
    relay.fill(section.values.relay);
    setText($(".other-error", form), "");
  } catch (problem) {
    const left = relay.refuse(problem.problems ?? [problem], "/multicast/relay/");
    setText($(".other-error", form), left.join("; "));
    if (problem.status === STALE) section.read();
  }
});

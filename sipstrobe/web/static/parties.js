// Who is in which call, for some time after it as well.

import { party } from "./words.js";

const REMEMBERED = 300; // calls
const parties = new Map();

export function note(calls) {
  for (const { id, remote_uri } of calls) {
    parties.delete(id);
    parties.set(id, party(remote_uri)); // the latest stand last
  }
  for (const id of parties.keys()) {
    if (parties.size <= REMEMBERED) break;
    parties.delete(id);
  }
}

/** The other side of a call; its name among calls where that is not known. */
export const partyOf = (call) => parties.get(call) ?? call;

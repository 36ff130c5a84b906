import { signal } from "@preact/signals";
import { follow, tidings } from "../connection/state.js";
import { soon } from "../page/frames.js";
import { ended } from "../session/state.js";
import * as runOf from "./fold.js";

/** @typedef {import("@preact/signals").Signal<runOf.Run>} RunSignal */

/** The folds of the runs that this tab knows, by ID. @type {Map<string, RunSignal>} */
const known = new Map();
/** IDs of the runs that are being read or were read. @type {Set<string>} */
const read = new Set();
/** @type {Map<string, import("../../client/index.js").Subscription>} */
const following = new Map();

/** @param {string} id @returns {RunSignal} */
export function runSignal(id) {
  let found = known.get(id);
  if (!found) known.set(id, (found = signal(runOf.unread)));
  return found;
}

/**
 * Read a run and follow it to its end, even while something else is shown, so that the answer is complete when it is
 * shown again. Does nothing if the run is being read already.
 * @param {string} id
 */
export async function followRun(id) {
  if (read.has(id)) return;
  read.add(id);
  const shown = runSignal(id);
  let folded = shown.value;
  const onEvents = (/** @type {import("../../client/index.js").Event[]} */ events) => {
    if (folded.state === "unread") folded = { ...folded, state: "waiting" };
    folded = events.reduce(runOf.fold, folded);
    soon(() => (shown.value = folded));
  };
  /** @param {string} message @param {string} code */
  const lost = (message, code) => {
    shown.value = { ...folded, state: "failed", error: { message, code, retryable: false, retryAfter: null } };
  };
  try {
    const found = await follow(`runs.${id}`, {
      onEvents,
      onReset: () => lost("This answer is no longer stored.", "gone"),
      onError: ({ message }) => lost(message, "unreadable"),
    });
    if (found === "missing") lost("This answer is no longer stored.", "gone");
    else if (found !== "closed") following.set(id, found);
  } catch (error) {
    if (!ended(error)) lost(/** @type {Error} */ (error).message, "refused");
  }
}

/** Stop following runs whose topics are gone. @param {string[]} ids */
export function leaveRuns(ids) {
  for (const id of ids) following.get(id)?.close();
}

/** Answer a question of a run. The first answer counts. @param {string} id @param {string} request @param {unknown} value */
export async function answer(id, request, value) {
  const resolved = { type: "input.resolved", run: id, request, kind: "interrupt", value };
  await tidings.publish(`runs.${id}`, resolved, { type: "input.resolved", key: `answer-${id}-${request}` });
}

/** @param {string} id @returns {Promise<void>} */
export async function stop(id) {
  await tidings.runs.get(id).stop();
}

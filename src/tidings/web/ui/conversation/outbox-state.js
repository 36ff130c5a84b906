/** Questions that were asked and are not with the server yet. */
import { computed } from "@preact/signals";
import { isTemporary } from "../../client/index.js";
import { tidings } from "../connection/state.js";
import { pending, put, sendWith } from "../outbox/state.js";
import { session } from "../session/state.js";
import { create, titled, titleFor } from "./list-state.js";
import { asking, conversation } from "./state.js";

/**
 * A question that waits. Its key starts one run, even when it is sent several times; its lane is its conversation.
 * @typedef {import("../outbox/state.js").Pending & About & {parent: string | null, time: number}} PendingQuestion
 *   `parent`: the run that it asks again; `time`: Unix seconds
 */

/** @typedef {{question: string, assistant: string | null, files?: readonly import("../files/state.js").Stored[]}} About */

/** The questions that wait, in order. */
export const questions = computed(
  () => /** @type {PendingQuestion[]} */ (pending.value.filter(({ kind }) => kind === "question")),
);

/** Questions that were sent without an answer. Their runs may have started, so they do not wait for the run before. */
export const tried = new Set();

/** @param {About & {conversation: string, parent?: string | null}} about */
export function ask({ conversation: lane, parent = null, ...about }) {
  put("question", lane, { ...about, parent, time: Date.now() / 1000 });
}

/** @param {string} id @returns {PendingQuestion[]} */
export const questionsOf = (id) => questions.value.filter(({ lane }) => lane === id);

/** A question may be sent while no run is under way in its conversation. @param {PendingQuestion} pending */
function ready({ key, lane }) {
  const place = conversation(lane);
  if (place.foreign.value) return true; // it is refused at once
  if (place.status.value === "loading") void place.follow();
  return place.status.value !== "loading" && (tried.has(key) || place.quiet.value);
}

/** @param {PendingQuestion} pending */
async function send({ key, lane, question, parent, assistant, files = [] }) {
  const place = conversation(lane);
  if (place.foreign.value) throw new Error(place.refused.value ?? "");
  try {
    if (!titled(lane) && !parent) await create(lane, titleFor(question || files.map(({ name }) => name).join(", ")));
    if (!parent) await place.goOn(`branch-${key}`);
    const history = place.history(parent);
    const about =
      history.length + files.length > 0 ? { messages: [...history, asking(question, files)] } : { input: question };
    const json = { ...about, topic: place.topic, ...(parent && { parent }), ...(assistant && { assistant }) };
    const { run } = await tidings.request("POST", "/runs", { json, key });
    place.started(run, { question, parent, assistant, by: session.value?.name ?? null, files });
  } catch (error) {
    if (isTemporary(error)) tried.add(key);
    throw error;
  }
}

/** Let the outbox send questions. */
export function start() {
  sendWith("question", { send, ready });
}

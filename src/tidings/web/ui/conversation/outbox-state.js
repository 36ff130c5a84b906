import { effect, signal } from "@preact/signals";
import { Outbox, Problem, Unreachable, isTemporary, newKey } from "../../client/index.js";
import { standing, tidings } from "../connection/state.js";
import { ended, session, signedOut } from "../session/state.js";
import { create, titleFor, titled } from "./list-state.js";
import { conversation } from "./state.js";

/**
 * A question that was asked and is not with the server yet. Its key starts one run, however often it is sent; its lane
 * is its conversation.
 * @typedef {import("../../client/index.js").Letter & About & {parent: string | null, time: number}} Letter `parent`:
 *   the run it asks again; `time`: Unix seconds
 */

/** @typedef {{question: string, assistant: string | null}} About */

/** @type {Outbox<Letter>} Kept on this device, so they outlive the page. */
const box = new Outbox({ send, ready, wait: again, storage: kept(), name: "tidings.questions" });

/** In the order they are sent. @type {import("@preact/signals").Signal<readonly Letter[]>} */
export const outbox = signal(box.letters);

/** The letters under way. @type {import("@preact/signals").Signal<ReadonlySet<string>>} */
export const sending = signal(new Set());

/** Letters that were sent without an answer: their runs may have started, so they wait for nothing but the server. */
export const tried = new Set();
/** What the server said to those it asked to slow down, by key. @type {Map<string, string>} */
export const slowed = new Map();

/** @returns {Storage | undefined} none in a private window */
function kept() {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}

/** @param {About & {conversation: string, parent?: string | null}} about */
export function ask({ conversation: lane, parent = null, ...about }) {
  box.put({ ...about, lane, parent, key: newKey(), time: Date.now() / 1000 });
}

/** @param {string} key */
export const discard = (key) => box.discard(key);

/** @param {string} key */
export const retry = (key) => box.retry(key);

/** @param {string} id @returns {Letter[]} */
export const lettersOf = (id) => outbox.value.filter((letter) => letter.lane === id);

/** Whether it can be sent now: no answer is on its way in its conversation. @param {Letter} letter */
function ready(letter) {
  const connected = standing.value === "live" || standing.value === "back";
  if (!connected || !session.value || signedOut.value) return false;
  const place = conversation(letter.lane);
  if (place.status.value === "loading") void place.follow();
  return place.status.value !== "loading" && (tried.has(letter.key) || place.quiet.value);
}

/** @param {Letter} letter */
async function send({ key, lane, question, parent, assistant }) {
  const place = conversation(lane);
  try {
    if (!titled(lane) && !parent) await create(lane, titleFor(question));
    if (!parent) await place.goOn(`branch-${key}`);
    const history = place.history(parent);
    const about =
      history.length > 0 ? { messages: [...history, { role: "user", content: question }] } : { input: question };
    const json = { ...about, topic: place.topic, ...(parent && { parent }), ...(assistant && { assistant }) };
    const { run } = await tidings.request("POST", "/runs", { json, key });
    slowed.delete(key);
    place.started(run, { question, parent, assistant, by: session.value?.name ?? null });
  } catch (error) {
    // Whoever signs in again sends it.
    if (ended(error)) throw new Unreachable();
    if (isTemporary(error)) tried.add(key);
    if (isTemporary(error) && error instanceof Problem) slowed.set(key, error.message);
    throw error;
  }
}

/** A moment before the next attempt: the stream may be well while a request is refused. @returns {Promise<void>} */
function again() {
  return new Promise((resolve) => setTimeout(resolve, 1000 + Math.random() * 1000));
}

/** Show what waits to be sent, and send it when that is possible. */
export function start() {
  box.addEventListener("change", () => {
    outbox.value = box.letters;
    sending.value = new Set(box.sending);
  });
  effect(() => {
    outbox.value;
    sending.value;
    box.pump();
  });
}

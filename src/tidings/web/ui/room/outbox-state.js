import { effect, signal } from "@preact/signals";
import { Outbox, Problem, Unreachable, isTemporary, newKey } from "../../client/index.js";
import { standing, tidings } from "../connection/state.js";
import { isRead } from "../log/offset-fold.js";
import { ended, session, signedOut } from "../session/state.js";
import { room } from "./state.js";

/**
 * A message that was written and is not in its room's log yet. Its lane is the room's topic.
 * @typedef {import("../../client/index.js").Letter & Written} Letter
 */
/**
 * @typedef {object} Written
 * @property {string} text
 * @property {{message: string, by: string, text: string} | null} quote what it replies to
 * @property {readonly import("./fold.js").File[]} [files] that were uploaded
 * @property {string} by
 * @property {number} time Unix seconds
 */

/** @type {Outbox<Letter>} Kept on this device, so they outlive the page. */
const box = new Outbox({ send, ready, wait: again, storage: kept(), name: "tidings.messages" });

/** In the order they are sent. @type {import("@preact/signals").Signal<readonly Letter[]>} */
export const letters = signal(box.letters);
/** Those under way, by key. @type {import("@preact/signals").Signal<ReadonlySet<string>>} */
export const posting = signal(new Set());
/** What is stored and was not seen in the log yet, with its offset. @type {import("@preact/signals").Signal<readonly (Letter & {offset: string})[]>} */
const stored = signal([]);
/** How often one has written. */
export const written = signal(0);
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

/** @param {import("./state.js").Room} room @param {string} text @param {Written["quote"]} quote @param {Written["files"]} files */
export function post({ topic }, text, quote, files) {
  const by = session.value?.name ?? "";
  box.put({ key: newKey(), lane: topic, text, quote, files, by, time: Date.now() / 1000 });
  written.value += 1;
}

/** @param {string} key */
export const discardMessage = (key) => box.discard(key);

/** @param {string} key */
export const retryMessage = (key) => box.retry(key);

/**
 * What is to be shown below a room's log: not what the log tells of already, though its sender waits for the answer.
 * @param {import("./state.js").Room} room
 * @returns {Letter[]}
 */
export function unseen({ topic, items, position }) {
  const mine = session.value?.name ?? "";
  const waiting = letters.value.filter((letter) => letter.lane === topic && letter.by === mine);
  const done = stored.value.filter((letter) => letter.lane === topic && !isRead(position.value, letter.offset));
  const isSaid = (/** @type {Letter} */ { key }) =>
    items.value.some((item) => item.kind === "message" && item.letter === key && item.by === mine);
  return [...done, ...waiting.filter((letter) => letter.refused || !isSaid(letter))];
}

/** Whether a letter may be sent now. @param {Letter} letter */
function ready({ by }) {
  const connected = standing.value === "live" || standing.value === "back";
  return connected && session.value?.name === by && !signedOut.value;
}

/** @param {Letter} letter */
async function send(letter) {
  const { key, lane, text, quote, files = [] } = letter;
  const [reply, ids] = [quote?.message, files.map(({ id }) => id)];
  const data = { text, key, ...(reply && { reply }), ...(ids.length > 0 && { files: ids }) };
  const event = { type: "message.posted", data };
  try {
    const body = JSON.stringify(event) + "\n";
    const path = `/topics/${lane}/events`;
    const { offset } = await tidings.request("POST", path, { body, type: "application/x-ndjson", key });
    const position = room(lane.slice("rooms.".length)).position.value;
    const unread = stored.value.filter((one) => one.lane !== lane || !isRead(position, one.offset));
    stored.value = [...unread, { ...letter, offset }];
    slowed.delete(key);
  } catch (error) {
    // Whoever signs in again sends it.
    if (ended(error)) throw new Unreachable();
    if (error instanceof Problem && isTemporary(error)) slowed.set(key, error.message);
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
    letters.value = box.letters;
    posting.value = new Set(box.sending);
  });
  effect(() => {
    letters.value;
    posting.value;
    standing.value;
    session.value;
    signedOut.value;
    box.pump();
  });
}

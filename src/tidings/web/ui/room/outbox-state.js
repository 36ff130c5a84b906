/** Messages that were written and are not in their rooms' logs yet. */
import { computed, signal } from "@preact/signals";
import { tidings } from "../connection/state.js";
import { isRead } from "../log/offset-fold.js";
import { pending, put, sendWith } from "../outbox/state.js";
import { session } from "../session/state.js";
import { room } from "./state.js";

/**
 * A message that waits. Its lane is its room's topic.
 * @typedef {import("../outbox/state.js").Pending & Written} PendingMessage
 */
/**
 * @typedef {object} Written
 * @property {string} text
 * @property {{message: string, by: string, text: string} | null} quote the message it replies to
 * @property {readonly import("./fold.js").File[]} [files] that were uploaded
 * @property {string} by
 * @property {number} time Unix seconds
 */

/** The messages that wait, in order. */
export const messages = computed(
  () => /** @type {PendingMessage[]} */ (pending.value.filter(({ kind }) => kind === "message")),
);

/**
 * Messages that the server has stored and that have not come through the log yet.
 * @type {import("@preact/signals").Signal<readonly (PendingMessage & {offset: string})[]>}
 */
const stored = signal([]);

/** Counts the messages written in this tab. */
export const written = signal(0);

/** @param {import("./state.js").Room} room @param {string} text @param {Written["quote"]} quote @param {Written["files"]} files */
export function post({ topic }, text, quote, files) {
  const by = session.value?.name ?? "";
  put("message", topic, { text, quote, files, by, time: Date.now() / 1000 });
  written.value += 1;
}

/**
 * The messages to show below a room's log: those that the log does not have, even if their sender still waits for the
 * answer.
 * @param {import("./state.js").Room} room
 * @returns {PendingMessage[]}
 */
export function unseen({ topic, items, position }) {
  const me = session.value?.name ?? "";
  const waiting = messages.value.filter((one) => one.lane === topic && one.by === me);
  const done = stored.value.filter((one) => one.lane === topic && !isRead(position.value, one.offset));
  const isInLog = (/** @type {PendingMessage} */ { key }) =>
    items.value.some((item) => item.kind === "message" && item.sendKey === key && item.by === me);
  return [...done, ...waiting.filter((one) => one.refused || !isInLog(one))];
}

/** A message is sent only for the person who wrote it. @param {PendingMessage} pending */
const ready = ({ by }) => session.value?.name === by;

/** @param {PendingMessage} pending */
async function send(pending) {
  const { key, lane, text, quote, files = [] } = pending;
  const [reply, ids] = [quote?.message, files.map(({ id }) => id)];
  const data = { text, key, ...(reply && { reply }), ...(ids.length > 0 && { files: ids }) };
  const body = JSON.stringify({ type: "message.posted", data }) + "\n";
  const path = `/topics/${lane}/events`;
  const { offset } = await tidings.request("POST", path, { body, type: "application/x-ndjson", key });
  const position = room(lane.slice("rooms.".length)).position.value;
  const others = stored.value.filter((one) => one.lane !== lane || !isRead(position, one.offset));
  stored.value = [...others, { ...pending, offset }];
}

/** Let the outbox send messages. */
export function start() {
  sendWith("message", { send, ready });
}

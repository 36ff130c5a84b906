/** The questions and messages that this device has yet to send. They outlive the page. */
import { effect, signal } from "@preact/signals";
import { isTemporary, newKey, Outbox, Problem, Unreachable } from "../../client/index.js";
import { connectionStatus } from "../connection/state.js";
import { ended, session, signedOut } from "../session/state.js";

/**
 * Something that waits to be sent. The `kind` decides how it is sent, and the `lane` what it must not overtake.
 * @typedef {import("../../client/index.js").PendingSend & {kind: string}} Pending
 */

/**
 * The functions that send one kind. `ready` says that it may be sent now, apart from the connection.
 * @typedef {{send: (pending: any) => Promise<unknown>, ready: (pending: any) => boolean}} Sender
 */

/** @type {Map<string, Sender>} */
const senders = new Map();

/** @type {Outbox<Pending>} */
const box = new Outbox({ send, ready, wait: pause, storage: storage(), name: "tidings.outbox" });

/** Everything that waits, in order. @type {import("@preact/signals").Signal<readonly Pending[]>} */
export const pending = signal(box.pending);

/** The keys of the sends under way. @type {import("@preact/signals").Signal<ReadonlySet<string>>} */
export const sending = signal(new Set());

/** The server's words to senders that it asked to slow down, by key. @type {Map<string, string>} */
export const slowed = new Map();

/** @param {string} kind @param {Sender} sender */
export function sendWith(kind, sender) {
  senders.set(kind, sender);
}

/** @param {string} kind @param {string} lane @param {object} content */
export function put(kind, lane, content) {
  box.put({ ...content, kind, lane, key: newKey() });
}

/** @param {string} key */
export const discard = (key) => box.discard(key);

/** @param {string} key */
export const retry = (key) => box.retry(key);

/** @returns {Storage | undefined} undefined in a private window */
function storage() {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}

/** @param {Pending} pending */
function ready(pending) {
  const connected = connectionStatus.value === "live" || connectionStatus.value === "back";
  if (!connected || !session.value || signedOut.value) return false;
  return senders.get(pending.kind)?.ready(pending) ?? false;
}

/** @param {Pending} pending */
async function send(pending) {
  const { kind, key } = pending;
  try {
    await senders.get(kind)?.send(pending);
    slowed.delete(key);
  } catch (error) {
    // After the next sign-in it is sent again.
    if (ended(error)) throw new Unreachable();
    if (error instanceof Problem && isTemporary(error)) slowed.set(key, error.message);
    throw error;
  }
}

/** Wait a moment before the next attempt: the stream may be well while a request is refused. @returns {Promise<void>} */
function pause() {
  return new Promise((resolve) => setTimeout(resolve, 1000 + Math.random() * 1000));
}

/** Show what waits, and send it as soon as it may be sent. */
export function start() {
  box.addEventListener("change", () => {
    pending.value = box.pending;
    sending.value = new Set(box.sending);
  });
  effect(() => {
    pending.value;
    sending.value;
    connectionStatus.value;
    session.value;
    signedOut.value;
    box.pump();
  });
}

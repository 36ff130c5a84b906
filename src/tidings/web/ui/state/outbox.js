import { effect, signal } from "@preact/signals";
import { Problem, Unreachable } from "../../client/index.js";
import { standing, tidings } from "./connection.js";
import { conversation } from "./conversation.js";
import { keep, newId, onKept, recall } from "./device.js";
import { create, titled, titleFor } from "./library.js";
import { ended, session, signedOut } from "./session.js";

/**
 * @typedef {object} Letter a question that was asked and is not with the server yet
 * @property {string} key with which it is sent, however often: it starts one run
 * @property {string} conversation
 * @property {string} question
 * @property {string | null} assistant
 * @property {string | null} parent the run it asks again
 * @property {number} time Unix seconds
 * @property {string} [refused] why it will not be sent by itself
 */

/**
 * In the order they are sent. Kept on this device, so they outlive the page.
 * @type {import("@preact/signals").Signal<Letter[]>}
 */
export const outbox = signal(recall("outbox", []));

/** The letter under way. @type {import("@preact/signals").Signal<string | null>} */
export const sending = signal(null);

/** Letters that were sent without an answer: their runs may have started, so they wait for nothing but the server. */
export const tried = new Set();

onKept("outbox", () => (outbox.value = recall("outbox", [])));

/** @param {Letter[]} letters */
function store(letters) {
  outbox.value = letters;
  keep("outbox", letters.length > 0 ? letters : undefined);
}

/** @param {(letters: Letter[]) => Letter[]} change of what all tabs have by now */
const update = (change) => store(change(recall("outbox", [])));

/** @param {{conversation: string, question: string, assistant: string | null, parent?: string | null}} about */
export function ask({ parent = null, ...about }) {
  const letter = { ...about, parent, key: newId(), time: Date.now() / 1000 };
  update((letters) => [...letters, letter]);
}

/** @param {string} key */
export const discard = (key) => update((letters) => letters.filter((letter) => letter.key !== key));

/** @param {string} key */
export const retry = (key) =>
  update((letters) => letters.map(({ refused, ...letter }) => (letter.key === key ? letter : { ...letter, refused })));

/** @param {string} id @returns {Letter[]} */
export const lettersOf = (id) => outbox.value.filter((letter) => letter.conversation === id);

/**
 * What can be sent now: the first letter of a conversation in which no answer is on its way.
 * @returns {Letter | null}
 */
function next() {
  /** @type {Set<string>} */
  const blocked = new Set();
  for (const letter of outbox.value) {
    if (blocked.has(letter.conversation)) continue;
    blocked.add(letter.conversation);
    if (letter.refused) continue;
    const place = conversation(letter.conversation);
    if (place.status.value === "loading") void place.follow();
    else if (tried.has(letter.key) || place.quiet.value) return letter;
  }
  return null;
}

effect(() => {
  const connected = standing.value === "live" || standing.value === "back";
  if (!connected || !session.value || signedOut.value || sending.value) return;
  const letter = next();
  if (letter) void send(letter);
});

/** @param {Letter} letter */
async function send(letter) {
  const { key, question, parent, assistant } = letter;
  sending.value = key;
  try {
    const place = conversation(letter.conversation);
    if (!titled(place.id) && !parent) await create(place.id, titleFor(question));
    const history = place.history(parent);
    const about =
      history.length > 0 ? { messages: [...history, { role: "user", content: question }] } : { input: question };
    const json = { ...about, topic: place.topic, ...(parent && { parent }), ...(assistant && { assistant }) };
    const { run } = await tidings.request("POST", "/runs", { json, key });
    discard(key);
    place.started(run, { question, parent, assistant, by: session.value?.name ?? null });
  } catch (error) {
    if (ended(error)) return;
    if (error instanceof Problem && error.status < 500 && error.status !== 429) {
      update((letters) => letters.map((one) => (one.key === key ? { ...one, refused: error.message } : one)));
    } else if (error instanceof Problem || error instanceof Unreachable) {
      tried.add(key);
      await again();
    } else throw error;
  } finally {
    sending.value = null;
  }
}

/** A moment before the next attempt: the stream may be well while a request is refused. @returns {Promise<void>} */
const again = () => new Promise((resolve) => setTimeout(resolve, 1000 + Math.random() * 1000));

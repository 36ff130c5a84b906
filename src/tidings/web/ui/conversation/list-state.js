import { effect, signal } from "@preact/signals";
import { ORIGIN, Problem } from "../../client/index.js";
import { follow, subscribe, tidings } from "../connection/state.js";
import { soon } from "../page/frames.js";
import { ended, indexTopic, load } from "../session/state.js";
import * as list from "./list-fold.js";
import { conversation, forget } from "./state.js";

/** @type {import("@preact/signals").Signal<list.Conversations>} */
export const conversations = signal(list.none);
export const listed = signal(false);

/** @type {string | null} */
let followed = null;
/** @type {import("../../client/index.js").Subscription | null} */
let subscription = null;

/**
 * The list's topic does not exist before the first conversation: then there is nothing to read, and all to come.
 * @param {string} topic
 * @param {import("../../client/index.js").SubscribeOptions} reader
 */
async function begin(topic, reader) {
  // Asking for the events of a topic there is not would be an error.
  const { topics } = await tidings.patiently(() => tidings.request("GET", `/topics?prefix=${topic}&limit=1`));
  let found = topics[0] === topic ? await follow(topic, reader) : "missing";
  if (found === "missing") found = subscribe(topic, { ...reader, after: ORIGIN });
  if (found === "closed") return;
  if (followed === topic) subscription = found;
  else found.close();
}

/** @param {string} id */
export const titled = (id) => conversations.value.find((item) => item.id === id)?.title ?? null;

/** @param {string} question @returns {string} its first line, cut at a word */
export function titleFor(question) {
  const line = question.trim().split(/\r?\n/, 1)[0].trim();
  const sentence = line.match(/^.+?[.?!](?=\s)/)?.[0].replace(/\.$/, "") ?? line;
  if (sentence.length <= 60) return sentence;
  return line.slice(0, 60).replace(/\s+\S*$/, "") + "…";
}

/** @param {string} type @param {object} data @param {string} [key] */
function publish(type, data, key) {
  return tidings.publish(/** @type {string} */ (indexTopic.value), data, { type: `conversation.${type}`, key });
}

/** @param {string} id @param {string} title Safe to repeat. */
export const create = (id, title) => publish("created", { id, title }, `created-${id}`);

/** Who chooses a name keeps what was asked without one. @param {list.Conversations} items */
export async function bringAlong(items) {
  for (const { id, title } of items.toReversed()) await create(id, title);
}

/** @param {string} id @param {string} title */
export const rename = (id, title) => publish("renamed", { id, title });

/**
 * Delete a conversation with its questions and answers, for every tab. The item goes last, so that what failed halfway
 * can be tried again.
 * @param {string} id
 */
export async function remove(id) {
  const runs = conversation(id).state.value.versions.map(({ run }) => `runs.${run}`);
  forget(id);
  for (const topic of [...runs, `conversations.${id}`]) {
    try {
      await tidings.request("DELETE", `/topics/${topic}`);
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 404) throw error;
    }
  }
  await publish("deleted", { id }, `deleted-${id}`);
}

/** Follow the list of conversations of the person who is signed in. */
export function start() {
  // The list is that of whoever is signed in.
  effect(() => {
    const topic = indexTopic.value;
    if (!topic || topic === followed) return;
    subscription?.close();
    followed = topic;
    let folded = list.none;
    const show = () =>
      soon(() => {
        if (followed !== topic) return;
        conversations.value = folded;
        listed.value = true;
      });
    const reader = {
      onEvents: (/** @type {import("../../client/index.js").Event[]} */ events) => {
        folded = events.reduce(list.fold, folded);
        show();
      },
      // What is still there is the list.
      onReset: () => {
        folded = list.none;
        show();
      },
      // Somebody else's: another name was chosen elsewhere in this browser.
      onError: () => void load().catch(ended),
    };
    begin(topic, reader).then(show).catch(ended);
  });
}

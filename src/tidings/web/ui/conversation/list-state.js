import { effect, signal } from "@preact/signals";
import { Problem } from "../../client/index.js";
import { hold } from "../connection/held.js";
import { follow, tidings, whenLeaving } from "../connection/state.js";
import { soon } from "../page/frames.js";
import { keep, recall } from "../page/storage.js";
import { ended, indexTopic, load, session } from "../session/state.js";
import { notSaved } from "../toasts/state.js";
import * as list from "./list-fold.js";
import * as pinsOf from "./pins-fold.js";
import { conversation, forget } from "./state.js";

/** @type {import("@preact/signals").Signal<list.Conversations>} */
export const conversations = signal(list.none);
export const listed = signal(false);

/** The topics that the person has pinned to the side bar. @type {import("@preact/signals").Signal<pinsOf.Pins>} */
export const pins = signal(pinsOf.none);

/** @type {string | null} */
let followed = null;
/** @type {import("../../client/index.js").Subscription | null} */
let subscription = null;

/** The path of the answer whether a topic exists. @param {string} topic */
const existence = (topic) => `/topics?prefix=${topic}&limit=1`;

/**
 * Read and follow the list. Its topic does not exist before the first conversation.
 * @param {string} topic
 * @param {import("../../client/index.js").SubscribeOptions} reader
 */
async function begin(topic, reader) {
  // Reading a missing topic would log an error in the browser's console, so ask for its name first.
  const { topics } = await tidings.patiently(() => tidings.request("GET", existence(topic)));
  let found = await follow(topic, reader, topics[0] === topic);
  if (found === "missing") found = await follow(topic, reader, false);
  if (found === "closed" || found === "missing") return;
  if (followed === topic) subscription = found;
  else found.close();
}

/** @param {string} id */
export const titled = (id) => conversations.value.find((item) => item.id === id)?.title ?? null;

/** @param {string} question @returns {string} a title: the question's first line or sentence, cut at a word */
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

/** @param {string} id @param {string} title Can be repeated safely. */
export async function create(id, title) {
  await publish("created", { id, title }, `created-${id}`);
  if (session.value?.name === null) keep("begun", [...begun(), id]);
}

/** The conversations that were begun in this browser without a name. @returns {string[]} */
const begun = () => recall("begun", []);

/**
 * Add the conversations that this browser has begun without a name to the list of the name that was chosen. Those that
 * other visitors have begun stay theirs.
 * @param {list.Conversations} items the list of the nameless
 */
export async function bringAlong(items) {
  const mine = items.filter(({ id }) => begun().includes(id));
  for (const { id, title } of mine.toReversed()) await create(id, title);
  keep("begun", undefined);
}

/** The item of a menu that pins a room or a conversation. @param {string} topic */
export function pinning(topic) {
  const is = pins.value.includes(topic);
  const run = () =>
    void tidings
      .publish(/** @type {string} */ (indexTopic.value), { topic }, { type: is ? "topic.unpinned" : "topic.pinned" })
      .catch(notSaved);
  return is ? { icon: "pin-off", label: "Unpin", run } : { icon: "pin", label: "Pin", run };
}

/** @param {string} id @param {string} title */
export const rename = (id, title) => publish("renamed", { id, title });

/**
 * Delete a conversation with its questions and answers, in every tab. The item in the list is deleted last, so that a
 * deletion that failed halfway can be repeated.
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
  whenLeaving(
    () => void (followed && conversations.value.length > 0 && hold(existence(followed), { topics: [followed] })),
  );
  effect(() => {
    const topic = indexTopic.value;
    if (!topic || topic === followed) return;
    subscription?.close();
    followed = topic;
    let folded = list.none;
    let pinned = pinsOf.none;
    const show = () =>
      soon(() => {
        if (followed !== topic) return;
        conversations.value = folded;
        pins.value = pinned;
        listed.value = true;
      });
    const reader = {
      onEvents: (/** @type {import("../../client/index.js").Event[]} */ events) => {
        folded = events.reduce(list.fold, folded);
        pinned = events.reduce(pinsOf.fold, pinned);
        show();
      },
      // The events that are left are the list.
      onReset: () => {
        folded = list.none;
        pinned = pinsOf.none;
        show();
      },
      // The list belongs to another person: another tab of this browser has signed in with another name.
      onError: () => void load().catch(ended),
    };
    begin(topic, reader).then(show).catch(ended);
  });
}

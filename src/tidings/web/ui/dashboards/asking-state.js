/** Asking an assistant for a card. */
import { computed } from "@preact/signals";
import { followRun } from "../answer/state.js";
import { tidings } from "../connection/state.js";
import { assistants } from "../session/state.js";
import { candidates, messagesFor } from "./asking-fold.js";

/** The most topics that are looked through. */
const LISTED = 1000;

/** The assistant that makes cards: the first with a model. The others only quote. Undefined without one. */
export const maker = computed(() => assistants.value.find(({ model }) => model !== null));

/** Ask for a card. @param {string} text @returns {Promise<string>} the id of the run @throws {Error} the server refused it */
export async function askForCard(text) {
  const { topics } = await tidings.request("GET", `/topics?limit=${LISTED}`);
  const samples = await Promise.all(candidates(text, topics).map(sampleOf));
  const { id } = await tidings.runs.start({ assistant: maker.value?.name, messages: messagesFor(text, samples) });
  void followRun(id);
  return id;
}

/** @param {string} topic @returns {Promise<import("./asking-fold.js").Sample>} */
async function sampleOf(topic) {
  try {
    const { events } = await tidings.read(topic, -1);
    return { topic, data: events.at(-1)?.data };
  } catch {
    return { topic, data: undefined }; // it is gone, or not for this person
  }
}

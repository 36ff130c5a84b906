/** One conversation: the fold of `conversations.ID`. Pure. */

/**
 * @typedef {object} Version a question and the run that answers it
 * @property {string} run
 * @property {string} question
 * @property {string | null} assistant
 * @property {string | null} by
 * @property {number} time Unix seconds
 */

/** @typedef {readonly Version[]} Turn what was asked at one place, oldest version first */
/** @typedef {readonly Turn[]} Conversation in the order of asking */

/** @type {Conversation} */
export const empty = [];

/**
 * A run whose parent is in the conversation is another version of its turn; any other is a turn of its own.
 * The same run told twice is one.
 *
 * @param {Conversation} turns
 * @param {import("../../client/index.js").Event} event
 * @returns {Conversation}
 */
export function fold(turns, { type, time, data }) {
  if (type !== "run.created" || typeof data?.run !== "string" || find(turns, data.run)) return turns;
  const version = {
    run: data.run,
    question: question(data.input),
    assistant: typeof data.assistant === "string" ? data.assistant : null,
    by: typeof data.by === "string" ? data.by : null,
    time,
  };
  const place = data.parent ? find(turns, data.parent) : null;
  if (!place) return [...turns, [version]];
  return turns.map((turn, n) => (n === place.turn ? [...turn, version] : turn));
}

/**
 * @param {Conversation} turns
 * @param {string} run
 * @returns {{turn: number, version: number} | null}
 */
export function find(turns, run) {
  for (let turn = 0; turn < turns.length; turn += 1) {
    const version = turns[turn].findIndex((version) => version.run === run);
    if (version !== -1) return { turn, version };
  }
  return null;
}

/** The text of an input, which may also be the messages of a chat. @param {unknown} input @returns {string} */
function question(input) {
  if (typeof input === "string") return input;
  const last = Array.isArray(input) ? input.at(-1) : input;
  return typeof last?.content === "string" ? last.content : "";
}

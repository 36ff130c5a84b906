/** One conversation: the fold of `conversations.ID`. Pure. */

/**
 * @typedef {object} Version a question and the run that answers it
 * @property {string} run
 * @property {string | null} after the run whose answer it follows; null: it begins the conversation
 * @property {string} question
 * @property {string | null} assistant
 * @property {string | null} by
 * @property {number} time Unix seconds
 * @property {"up" | "down" | null} rating of the answer
 */

/** @typedef {readonly Version[]} Turn what was asked at one place, oldest version first */

/**
 * A tree: who asks otherwise, or again, leaves what followed with the version before, and goes on from the new one.
 * @typedef {object} Conversation
 * @property {readonly Version[]} versions in the order of asking
 * @property {string | null} head the run that the next question follows
 */

/** @type {Conversation} */
export const empty = { versions: [], head: null };

/**
 * A run whose parent is in the conversation is another version at its place; any other follows the head.
 * The same run told twice is one.
 *
 * @param {Conversation} state
 * @param {import("../../client/index.js").Event} event
 * @returns {Conversation}
 */
export function fold(state, { type, time, data }) {
  if (typeof data?.run !== "string") return state;
  const { run } = data;
  const known = find(state, run);
  switch (type) {
    case "run.created":
      return known ? state : { versions: [...state.versions, version(state, data, time)], head: run };
    case "branch.chosen":
      return known ? { ...state, head: run } : state;
    case "answer.rated": {
      const rating = data.rating === "up" || data.rating === "down" ? data.rating : null;
      return { ...state, versions: state.versions.map((one) => (one === known ? { ...one, rating } : one)) };
    }
    default:
      return state;
  }
}

/** @param {Conversation} state @param {any} data @param {number} time @returns {Version} */
function version(state, { run, parent, input, assistant, by }, time) {
  const other = find(state, parent);
  return {
    run,
    after: other ? other.after : state.head,
    question: question(input),
    assistant: typeof assistant === "string" ? assistant : null,
    by: typeof by === "string" ? by : null,
    time,
    rating: null,
  };
}

/** @param {Conversation} state @param {unknown} run */
export const find = (state, run) => state.versions.find((one) => one.run === run) ?? null;

/**
 * A run and all that it follows, first to last.
 * @param {Conversation} state
 * @param {string | null} run
 * @returns {Version[]}
 */
export function line(state, run) {
  /** @type {Version[]} */
  const found = [];
  for (let one = find(state, run); one; one = find(state, one.after)) found.unshift(one);
  return found;
}

/** Every place at which something was asked. @param {Conversation} state @returns {Turn[]} */
export function places({ versions }) {
  /** @type {Map<string | null, Version[]>} */
  const turns = new Map();
  for (const one of versions) turns.set(one.after, [...(turns.get(one.after) ?? []), one]);
  return [...turns.values()];
}

/**
 * The turns that are shown: at each place the version that was chosen by hand, else the one that leads to the head,
 * else the last; and what followed it.
 * @param {Conversation} state
 * @param {Readonly<Record<string, number>>} chosen the number of a version, by the run that was first at its place
 * @returns {{turns: Turn[], shown: Version[]}}
 */
export function path(state, chosen) {
  const heads = new Set(line(state, state.head));
  const next = new Map(places(state).map((turn) => [turn[0].after, turn]));
  /** @type {{turns: Turn[], shown: Version[]}} */
  const found = { turns: [], shown: [] };
  for (let turn = next.get(null); turn; turn = next.get(found.shown.at(-1)?.run ?? null)) {
    const by = chosen[turn[0].run];
    const picked = by === undefined ? turn.find((one) => heads.has(one)) : turn[Math.min(by, turn.length - 1)];
    found.turns.push(turn);
    found.shown.push(picked ?? turn[turn.length - 1]);
  }
  return found;
}

/** The text of an input, which may also be the messages of a chat. @param {unknown} input @returns {string} */
function question(input) {
  if (typeof input === "string") return input;
  const last = Array.isArray(input) ? input.at(-1) : input;
  return typeof last?.content === "string" ? last.content : "";
}

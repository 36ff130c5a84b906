/** The fold of a conversation's topic, `conversations.ID`. Pure. */

/**
 * @typedef {object} Version a question and the run that answers it
 * @property {string} run
 * @property {string | null} after the run that it follows; null at the beginning of the conversation
 * @property {string} question
 * @property {string | null} assistant
 * @property {string | null} by
 * @property {number} time Unix seconds
 * @property {"up" | "down" | null} rating of the answer
 * @property {readonly import("../files/state.js").Stored[]} files of the question
 */

/** @typedef {readonly Version[]} Turn the versions of one question, oldest first */

/**
 * A tree of questions. A question that is edited or asked again becomes a new version. Later questions follow the new
 * version; those that followed the old version stay with it.
 * @typedef {object} Conversation
 * @property {readonly Version[]} versions in the order of asking
 * @property {string | null} head the run that the next question follows
 */

/** @type {Conversation} */
export const empty = { versions: [], head: null };

/**
 * Fold one event. A run whose parent is in the conversation is another version of the parent's turn; any other run
 * follows the head. A run that is announced twice counts once.
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
function version(state, { run, parent, input, assistant, by, files }, time) {
  const other = find(state, parent);
  return {
    run,
    after: other ? other.after : state.head,
    question: question(input),
    assistant: typeof assistant === "string" ? assistant : null,
    by: typeof by === "string" ? by : null,
    time,
    rating: null,
    files: Array.isArray(files) ? files.filter(isFile) : [],
  };
}

/** @param {any} file */
const isFile = (file) =>
  /^[0-9A-Z]{26}$/.test(file?.id) &&
  [file.name, file.type].every((text) => typeof text === "string") &&
  typeof file.size === "number";

/** @param {Conversation} state @param {unknown} run */
export const find = (state, run) => state.versions.find((one) => one.run === run) ?? null;

/**
 * A run and all runs before it, first to last.
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

/** All turns. @param {Conversation} state @returns {Turn[]} */
export function places({ versions }) {
  /** @type {Map<string | null, Version[]>} */
  const turns = new Map();
  for (const one of versions) turns.set(one.after, [...(turns.get(one.after) ?? []), one]);
  return [...turns.values()];
}

/**
 * The shown turns. Of each turn the version that was chosen by hand is shown, else the one that leads to the head, else
 * the last; then the turn that follows this version.
 * @param {Conversation} state
 * @param {Readonly<Record<string, number>>} chosen the index of a version, by the run of the turn's first
 *   version
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

/** The text of an input, which may be a list of chat messages. @param {unknown} input @returns {string} */
function question(input) {
  if (typeof input === "string") return input;
  const last = Array.isArray(input) ? input.at(-1) : input;
  return typeof last?.content === "string" ? last.content : "";
}

/** One room: the fold of `rooms.ID`, or of any stretch of it that has no gap. Pure. */

/** @typedef {"owner" | "member" | "reader"} Role */
/** @typedef {Readonly<Record<string, readonly string[]>>} Reactions who reacted, in order, by emoji */
/** @typedef {{id: string, name: string, type: string, size: number}} File what came with a message; `size`: bytes */

/**
 * @typedef {object} Message
 * @property {"message"} kind
 * @property {string} key
 * @property {string | null} letter the key its publisher gave it: by it a page knows its own
 * @property {string} offset where it stands, and what replies and reactions name
 * @property {number} time Unix seconds
 * @property {string} by
 * @property {string} text "" when it was deleted
 * @property {boolean} edited
 * @property {boolean} deleted
 * @property {{message: string, by: string, text: string} | null} quote what it replies to, as it was
 * @property {readonly string[]} mentions names
 * @property {readonly File[]} files none when it was deleted
 * @property {Reactions} reactions
 */

/**
 * @typedef {object} Answer an assistant's
 * @property {"answer"} kind
 * @property {string} key its run
 * @property {string} offset where its run began, or where it was posted if the beginning is not known
 * @property {number} time Unix seconds
 * @property {string} run
 * @property {string | null} assistant
 * @property {string | null} by who asked
 * @property {string | null} posted the offset that replies and reactions name; null while the run is under way
 * @property {string} text
 * @property {string | null} outcome of the run, once it has ended
 * @property {boolean} deleted
 * @property {Reactions} reactions
 */

/**
 * @typedef {object} Notice what happened to the room itself
 * @property {"notice"} kind
 * @property {string} key
 * @property {string} offset
 * @property {number} time Unix seconds
 * @property {string} by
 * @property {string} type of the event
 * @property {string} what whom or what it concerns: a member, or the new name
 * @property {Role | null} role
 */

/** @typedef {Message | Answer | Notice} Item */
/** @typedef {readonly Item[]} Items oldest first */

/**
 * @typedef {object} About
 * @property {string} name
 * @property {string} about
 * @property {boolean} private
 * @property {boolean} archived
 * @property {Readonly<Record<string, Role>>} members in the order of joining
 */

/** @typedef {import("../../client/index.js").Event & {offset: string}} Stored */

/** @type {Items} */
export const none = [];

/** @type {Record<string, (items: Items, event: Stored) => Items>} */
const STEPS = {
  "message.posted": (items, event) => [...items, message(event)],
  "message.edited": (items, { data }) =>
    change(items, data.message, (item) => ({ ...item, text: String(data.text), edited: true })),
  "message.deleted": (items, { data }) =>
    items.map((item) =>
      item.kind !== "notice" && idOf(item) === data.message
        ? { ...item, text: "", deleted: true, reactions: {}, ...(item.kind === "message" && { files: [] }) }
        : item,
    ),
  "reaction.added": (items, { data }) => react(items, data, (names) => [...names, data.by]),
  "reaction.removed": (items, { data }) => react(items, data, (names) => names),
  "run.created": (items, event) => begun(items, event),
  "answer.posted": (items, event) => posted(items, event),
  "room.created": (items, event) => [...items, notice(event, event.data.name)],
  "room.renamed": (items, event) => [...items, notice(event, event.data.name)],
  "room.archived": (items, event) => [...items, notice(event, "")],
  "room.restored": (items, event) => [...items, notice(event, "")],
  "member.joined": (items, event) => [...items, notice(event, event.data.member)],
  "member.left": (items, event) => [...items, notice(event, event.data.member)],
  "member.role": (items, event) => [...items, notice(event, event.data.member)],
};

/**
 * What is read in the room. Edits and reactions come after what they concern, so what they concern is either here or in
 * an earlier part of the log.
 *
 * @param {Items} items
 * @param {import("../../client/index.js").Event} event
 * @returns {Items}
 */
export function fold(items, event) {
  if (event.offset === null || event.data === null || typeof event.data !== "object") return items;
  return Object.hasOwn(STEPS, event.type) ? STEPS[event.type](items, /** @type {Stored} */ (event)) : items;
}

/**
 * What the room is. A stretch of the log does not say it: it goes on from what the server told.
 * @param {About} about
 * @param {import("../../client/index.js").Event} event
 * @returns {About}
 */
export function foldAbout(about, { offset, type, data }) {
  if (offset === null || data === null || typeof data !== "object") return about;
  switch (type) {
    case "room.renamed":
      return { ...about, name: data.name ?? about.name, about: data.about ?? about.about };
    case "room.archived":
      return { ...about, archived: true };
    case "room.restored":
      return { ...about, archived: false };
    case "member.joined":
    case "member.role":
      return { ...about, members: { ...about.members, [data.member]: data.role } };
    case "member.left": {
      const { [data.member]: _, ...members } = about.members;
      return { ...about, members };
    }
    default:
      return about;
  }
}

/** @param {Stored} event @returns {Message} */
function message({ offset, time, data }) {
  const { by, key, text, reply, quote, mentions, files } = data;
  const replies = typeof reply === "string" && quote && typeof quote.text === "string";
  return {
    kind: "message",
    key: offset,
    letter: typeof key === "string" ? key : null,
    offset,
    time,
    by: String(by ?? ""),
    text: String(text ?? ""),
    edited: false,
    deleted: false,
    quote: replies ? { message: reply, by: String(quote.by ?? ""), text: quote.text } : null,
    mentions: Array.isArray(mentions) ? mentions : [],
    files: Array.isArray(files) ? files : [],
    reactions: {},
  };
}

/** @param {Stored} event @param {unknown} what @returns {Notice} */
function notice({ offset, time, type, data }, what) {
  const { by, role } = data;
  return {
    kind: "notice",
    key: offset,
    offset,
    time,
    type,
    by: String(by ?? ""),
    what: String(what ?? ""),
    role: role ?? null,
  };
}

/** @param {Stored} event @returns {Answer} */
function answer({ offset, time, data }) {
  const { run, assistant, by } = data;
  return {
    kind: "answer",
    key: `run-${run}`,
    offset,
    time,
    run,
    assistant: typeof assistant === "string" ? assistant : null,
    by: typeof by === "string" && by ? by : null,
    posted: null,
    text: "",
    outcome: null,
    deleted: false,
    reactions: {},
  };
}

/** @param {Items} items @param {Stored} event @returns {Items} */
function begun(items, event) {
  const known = typeof event.data.run !== "string" || items.some((item) => item.key === `run-${event.data.run}`);
  return known ? items : [...items, answer(event)];
}

/**
 * The answer stands where its run began, so that what was said meanwhile stays below it.
 * @param {Items} items
 * @param {Stored} event
 * @returns {Items}
 */
function posted(items, event) {
  const { run, text, outcome } = event.data;
  if (typeof run !== "string") return items;
  return begun(items, event).map((item) =>
    item.kind === "answer" && item.run === run
      ? { ...item, posted: event.offset, text: String(text ?? ""), outcome: String(outcome ?? "success") }
      : item,
  );
}

/** Who said it; null: an assistant, or nobody. @param {Item} item */
export const authorOf = (item) => (item.kind === "message" ? item.by : null);

/** What a reply or a reaction names. @param {Item} item */
export const idOf = (item) => (item.kind === "answer" ? item.posted : item.offset);

/** @param {Items} items @param {string} id @param {(item: Message) => Message} next @returns {Items} */
function change(items, id, next) {
  return items.map((item) => (item.kind === "message" && item.offset === id && !item.deleted ? next(item) : item));
}

/**
 * @param {Items} items
 * @param {any} data
 * @param {(names: readonly string[]) => string[] | readonly string[]} next of the others who reacted so
 * @returns {Items}
 */
function react(items, { message, emoji, by }, next) {
  return items.map((item) => {
    if (item.kind === "notice" || item.deleted || idOf(item) !== message) return item;
    const { [emoji]: _, ...others } = item.reactions;
    // What is published as an emoji may be the name of what every object has.
    const before = Object.hasOwn(item.reactions, emoji) ? item.reactions[emoji] : [];
    const names = next(before.filter((name) => name !== by));
    return { ...item, reactions: names.length > 0 ? { ...item.reactions, [emoji]: names } : others };
  });
}

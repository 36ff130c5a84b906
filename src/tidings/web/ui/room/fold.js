/** The fold of a room's topic, `rooms.ID`, or of a stretch of it without a gap. Pure. */

/** @typedef {import("./about-fold.js").Role} Role */
/** @typedef {Readonly<Record<string, readonly string[]>>} Reactions names in order, by emoji */
/** @typedef {{id: string, name: string, type: string, size: number}} File `size` in bytes */

/**
 * @typedef {object} Message
 * @property {"message"} kind
 * @property {string} key
 * @property {string | null} sendKey the key with which its page sent it
 * @property {string} offset names it in replies and reactions
 * @property {number} time Unix seconds
 * @property {string} by
 * @property {string} text "" after its deletion
 * @property {string} stated the offset of the event that holds the text: its own, or that of the last edit
 * @property {boolean} edited
 * @property {boolean} deleted
 * @property {{message: string, by: string, text: string} | null} quote the message it replies to, as it was then
 * @property {readonly string[]} mentions names of members, as the server has read them
 * @property {readonly string[]} everyone names of the others that `@room` calls, likewise
 * @property {readonly string[]} asks names of assistants, likewise
 * @property {readonly File[]} files none after its deletion
 * @property {Reactions} reactions
 */

/**
 * @typedef {object} Answer of an assistant
 * @property {"answer"} kind
 * @property {string} key made from its run
 * @property {string} offset of the event that began its run, or of its post if the beginning was not read
 * @property {number} time Unix seconds
 * @property {string} run
 * @property {string | null} assistant
 * @property {string | null} by the person who asked
 * @property {string | null} posted the offset of its post, which names it in replies and reactions; null before
 * @property {string} text
 * @property {string | null} outcome of the run; null until it has ended
 * @property {boolean} deleted
 * @property {Reactions} reactions
 */

/**
 * @typedef {object} Notice a change of the room itself
 * @property {"notice"} kind
 * @property {string} key
 * @property {string} offset
 * @property {number} time Unix seconds
 * @property {string} by
 * @property {string} type of the event
 * @property {string} what its subject: a member, or the new name
 * @property {Role | null} role
 */

/** @typedef {Message | Answer | Notice} Item */
/** @typedef {readonly Item[]} Items oldest first */

/** @typedef {import("../../client/index.js").Event & {offset: string}} Stored */

/** @type {Items} */
export const none = [];

/** The property with a notice's subject, by event type. @type {Record<string, "name" | "member" | null>} */
const NOTICES = {
  "room.created": "name",
  "room.renamed": "name",
  "room.archived": null,
  "room.restored": null,
  "member.joined": "member",
  "member.invited": "member",
  "member.uninvited": "member",
  "member.left": "member",
  "member.role": "member",
  "member.banned": "member",
  "member.unbanned": "member",
};

/** The changes of messages and answers, by event type. @type {Record<string, (item: Message | Answer, event: Stored) => Message | Answer>} */
const CHANGES = {
  "message.edited": (item, event) =>
    item.kind === "message" && (!item.deleted || isRedacted(item)) ? restated(item, event) : item,
  "message.deleted": (item) => ({
    ...item,
    ...{ text: "", deleted: true, reactions: {} },
    ...(item.kind === "message" && { files: [] }),
  }),
  "reaction.added": (item, { data }) => react(item, data, (names) => [...names, data.by]),
  "reaction.removed": (item, { data }) => react(item, data, (names) => names),
};

/** Check if the text of a message is gone, and no edit has restated it. @param {Message} item */
const isRedacted = (item) => item.deleted && item.by === "";

/** The message after an edit, which restates all of it. @param {Message} item @param {Stored} event @returns {Message} */
function restated(item, { offset, data }) {
  const { by, author, text } = data;
  const now = { ...item, text: String(text), stated: offset, edited: item.edited || by !== "", deleted: false };
  if (typeof author !== "string" || !author) return now;
  const { sendKey, quote, mentions, everyone, asks, files } = message(
    /** @type {any} */ ({ ...item, data: { ...data, by: author } }),
  );
  return { ...now, by: author, sendKey, quote, mentions, everyone, asks, files };
}

/** @template {Item} [T=Item] @typedef {{item: T}} Cell holds the present version of an item */

/**
 * The items of a stretch of the log without a gap. It grows at both ends, at a cost that does not depend on its length.
 * An edit or a reaction comes after its message, which is in this stretch or in an earlier part of the log.
 */
export class Stretch {
  /** The number of items that were added at its beginning. */
  above = 0;
  /** @type {Cell[]} */
  #cells = [];
  /** Messages and answers, by the offset that names them. @type {Map<string, Cell<any>>} */
  #named = new Map();
  /** Answers, by run. @type {Map<string, Cell<Answer>>} */
  #runs = new Map();
  /** Changes of messages before this stretch, by the offset that names the message. @type {Map<unknown, Stored[]>} */
  #earlier = new Map();

  /** @returns {Items} the items in their present versions */
  get items() {
    return this.#cells.map(({ item }) => item);
  }

  /** @param {string} id the offset that names it @returns {Message | Answer | undefined} */
  get(id) {
    return this.#named.get(id)?.item;
  }

  /** Add the events after the stretch. @param {readonly import("../../client/index.js").Event[]} events */
  add(events) {
    for (const event of events) {
      if (event.data === null || typeof event.data !== "object") continue;
      if (event.offset !== null) this.#step(/** @type {Stored} */ (event));
      else if (event.type === "tidings.redacted") this.#redact(event.data.offset);
    }
    return this;
  }

  /** Add the events before the stretch. @param {readonly import("../../client/index.js").Event[]} events */
  before(events) {
    const page = new Stretch().add(events);
    for (const [run, cell] of page.#runs) {
      const later = this.#runs.get(run);
      this.#runs.set(run, cell);
      if (later) this.#moveUp(cell, later);
    }
    for (const [id, cell] of page.#named) {
      this.#named.set(id, cell);
      for (const event of this.#earlier.get(id) ?? []) cell.item = CHANGES[event.type](cell.item, event);
      this.#earlier.delete(id);
    }
    for (const [id, changes] of page.#earlier) this.#earlier.set(id, changes.concat(this.#earlier.get(id) ?? []));
    this.#cells = page.#cells.concat(this.#cells);
    this.above += page.#cells.length;
    return this;
  }

  /** @param {Stored} event */
  #step(event) {
    const { offset, type, data } = event;
    if (type === "message.posted") this.#named.set(offset, this.#place(message(event)));
    else if (type === "tidings.redacted" && data.type === "message.posted")
      this.#named.set(offset, this.#place(redacted(event)));
    else if (type === "run.created") this.#answerOf(event);
    else if (type === "message.deleted" && typeof data.run === "string" && !this.#named.has(data.message))
      this.#delete(event);
    else if (type === "answer.posted") this.#post(event);
    else if (Object.hasOwn(NOTICES, type)) this.#place(notice(event, NOTICES[type] && data[NOTICES[type]]));
    else if (Object.hasOwn(CHANGES, type)) {
      const cell = this.#named.get(data.message);
      if (cell) cell.item = CHANGES[type](cell.item, event);
      else this.#earlier.set(data.message, [...(this.#earlier.get(data.message) ?? []), event]);
    }
  }

  /** @template {Item} T @param {T} item */
  #place(item) {
    const cell = { item };
    this.#cells.push(cell);
    return cell;
  }

  /** @param {Stored} event of a run @returns {Cell<Answer> | null} the cell of its answer */
  #answerOf(event) {
    const { run } = event.data;
    if (typeof run !== "string") return null;
    if (!this.#runs.has(run)) this.#runs.set(run, this.#place(answer(event)));
    return this.#runs.get(run) ?? null;
  }

  /** Put a posted answer where its run began, so that later messages stay below it. @param {Stored} event */
  #post(event) {
    const cell = this.#answerOf(event);
    if (!cell) return;
    const { text, outcome } = event.data;
    if (cell.item.posted) this.#named.delete(cell.item.posted);
    cell.item = { ...cell.item, posted: event.offset, text: String(text ?? ""), outcome: String(outcome ?? "success") };
    this.#named.set(event.offset, cell);
  }

  /** Remove the text that a redacted event held, if no later event restates it. @param {unknown} offset of the event */
  #redact(offset) {
    for (const cell of this.#named.values()) {
      const { item } = cell;
      if (item.deleted) continue;
      if (item.kind === "message" && item.stated === offset) cell.item = redacted(item);
      if (item.kind === "answer" && item.posted === offset) cell.item = { ...item, text: "", deleted: true };
    }
  }

  /** Delete an answer whose event is redacted, so that only its run is known. @param {Stored} event */
  #delete(event) {
    const cell = /** @type {Cell<Answer>} */ (this.#answerOf(event));
    cell.item = { ...cell.item, posted: event.data.message, outcome: "success", deleted: true };
    this.#named.set(event.data.message, cell);
  }

  /** Move an answer from its post to the beginning of its run, which has been read now. @param {Cell<Answer>} here @param {Cell<Answer>} later */
  #moveUp(here, later) {
    const { posted, text, outcome, deleted, reactions } = later.item;
    if (posted) this.#named.set(posted, here);
    if (posted) here.item = { ...here.item, posted, text, outcome, deleted, reactions };
    const at = this.#cells.indexOf(later);
    if (at < this.above) this.above -= 1;
    this.#cells.splice(at, 1);
  }
}

/** @param {Stored} event @returns {Message} */
function message({ offset, time, data }) {
  const { by, key, text, reply, quote, mentions, everyone, asks, files } = data;
  const replies = typeof reply === "string" && quote && typeof quote.text === "string";
  return {
    kind: "message",
    key: offset,
    sendKey: typeof key === "string" ? key : null,
    offset,
    time,
    by: String(by ?? ""),
    text: String(text ?? ""),
    stated: offset,
    edited: false,
    deleted: false,
    quote: replies ? { message: reply, by: String(quote.by ?? ""), text: quote.text } : null,
    mentions: Array.isArray(mentions) ? mentions : [],
    everyone: Array.isArray(everyone) ? everyone : [],
    asks: Array.isArray(asks) ? asks : [],
    files: Array.isArray(files) ? files : [],
    reactions: {},
  };
}

/** A message whose text and author are gone. @param {any} event @returns {Message} */
const redacted = (event) => ({ ...message({ ...event, data: {} }), deleted: true });

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

/** The author of a message; null for answers and notices. @param {Item} item */
export const authorOf = (item) => (item.kind === "message" ? item.by : null);

/** The offset that names an item in replies and reactions. @param {Item} item */
export const idOf = (item) => (item.kind === "answer" ? item.posted : item.offset);

/**
 * @param {Message | Answer} item
 * @param {any} data
 * @param {(names: readonly string[]) => readonly string[]} next gets the names of the others with this reaction
 * @returns {Message | Answer}
 */
function react(item, { emoji, by }, next) {
  if (item.deleted) return item;
  const { [emoji]: _, ...others } = item.reactions;
  // Anything may be published as an emoji, also the name of a property that every object has.
  const before = Object.hasOwn(item.reactions, emoji) ? item.reactions[emoji] : [];
  const names = next(before.filter((name) => name !== by));
  return { ...item, reactions: names.length > 0 ? { ...item.reactions, [emoji]: names } : others };
}

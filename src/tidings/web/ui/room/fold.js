/** One room: the fold of `rooms.ID`, or of any stretch of it that has no gap. */

/** @typedef {"owner" | "member" | "reader"} Role */
/** @typedef {Readonly<Record<string, readonly string[]>>} Reactions who reacted, in order, by emoji */
/** @typedef {{id: string, name: string, type: string, size: number}} File what came with a message; `size`: bytes */

/**
 * @typedef {object} Message
 * @property {"message"} kind
 * @property {string} key
 * @property {string | null} sendKey the key with which its page sent it
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
 * @property {readonly string[]} banned people who cannot be members
 */

/** @typedef {import("../../client/index.js").Event & {offset: string}} Stored */

/** @type {Items} */
export const none = [];

/** What a notice is about, by its type. @type {Record<string, "name" | "member" | null>} */
const NOTICES = {
  "room.created": "name",
  "room.renamed": "name",
  "room.archived": null,
  "room.restored": null,
  "member.joined": "member",
  "member.left": "member",
  "member.role": "member",
  "member.banned": "member",
  "member.unbanned": "member",
};

/** What changes a message, or an answer. @type {Record<string, (item: Message | Answer, data: any) => Message | Answer>} */
const CHANGES = {
  "message.edited": (item, { text }) =>
    item.kind === "message" && !item.deleted ? { ...item, text: String(text), edited: true } : item,
  "message.deleted": (item) => ({
    ...item,
    ...{ text: "", deleted: true, reactions: {} },
    ...(item.kind === "message" && { files: [] }),
  }),
  "reaction.added": (item, data) => react(item, data, (names) => [...names, data.by]),
  "reaction.removed": (item, data) => react(item, data, (names) => names),
};

/** @template {Item} [T=Item] @typedef {{item: T}} Cell where an item stands; what changes it puts another one there */

/**
 * What is read in a stretch of the log that has no gap. It grows at both ends, and what an event costs does not depend
 * on how long it is. Edits and reactions come after what they concern: that is here, or in an earlier part of the log.
 */
export class Stretch {
  /** How many items have come in at its beginning since it was begun. */
  above = 0;
  /** @type {Cell[]} */
  #cells = [];
  /** By what replies and reactions name. @type {Map<string, Cell<any>>} */
  #named = new Map();
  /** Answers, by their runs. @type {Map<string, Cell<Answer>>} */
  #runs = new Map();
  /** Changes of what is before it, by what they name. @type {Map<unknown, Stored[]>} */
  #early = new Map();

  /** @returns {Items} as they are now */
  get items() {
    return this.#cells.map(({ item }) => item);
  }

  /** @param {string} id what replies and reactions name @returns {Message | Answer | undefined} */
  get(id) {
    return this.#named.get(id)?.item;
  }

  /** What comes next in the log. @param {readonly import("../../client/index.js").Event[]} events */
  add(events) {
    for (const event of events) {
      if (event.offset === null || event.data === null || typeof event.data !== "object") continue;
      this.#step(/** @type {Stored} */ (event));
    }
    return this;
  }

  /** What comes before it in the log. @param {readonly import("../../client/index.js").Event[]} events */
  before(events) {
    const page = new Stretch().add(events);
    for (const [run, cell] of page.#runs) {
      const later = this.#runs.get(run);
      this.#runs.set(run, cell);
      if (later) this.#begins(cell, later);
    }
    for (const [id, cell] of page.#named) {
      this.#named.set(id, cell);
      for (const { type, data } of this.#early.get(id) ?? []) cell.item = CHANGES[type](cell.item, data);
      this.#early.delete(id);
    }
    for (const [id, changes] of page.#early) this.#early.set(id, changes.concat(this.#early.get(id) ?? []));
    this.#cells = page.#cells.concat(this.#cells);
    this.above += page.#cells.length;
    return this;
  }

  /** @param {Stored} event */
  #step(event) {
    const { offset, type, data } = event;
    if (type === "message.posted") this.#named.set(offset, this.#stand(message(event)));
    else if (type === "run.created") this.#begun(event);
    else if (type === "answer.posted") this.#posted(event);
    else if (Object.hasOwn(NOTICES, type)) this.#stand(notice(event, NOTICES[type] && data[NOTICES[type]]));
    else if (Object.hasOwn(CHANGES, type)) {
      const cell = this.#named.get(data.message);
      if (cell) cell.item = CHANGES[type](cell.item, data);
      else this.#early.set(data.message, [...(this.#early.get(data.message) ?? []), event]);
    }
  }

  /** @template {Item} T @param {T} item */
  #stand(item) {
    const cell = { item };
    this.#cells.push(cell);
    return cell;
  }

  /** @param {Stored} event that tells of a run @returns {Cell<Answer> | null} where its answer stands */
  #begun(event) {
    const { run } = event.data;
    if (typeof run !== "string") return null;
    if (!this.#runs.has(run)) this.#runs.set(run, this.#stand(answer(event)));
    return this.#runs.get(run) ?? null;
  }

  /** The answer stands where its run began, so that what was said meanwhile stays below it. @param {Stored} event */
  #posted(event) {
    const cell = this.#begun(event);
    if (!cell) return;
    const { text, outcome } = event.data;
    if (cell.item.posted) this.#named.delete(cell.item.posted);
    cell.item = { ...cell.item, posted: event.offset, text: String(text ?? ""), outcome: String(outcome ?? "success") };
    this.#named.set(event.offset, cell);
  }

  /** The run of an answer that stood where it was posted began here. @param {Cell<Answer>} here @param {Cell<Answer>} later */
  #begins(here, later) {
    const { posted, text, outcome, deleted, reactions } = later.item;
    if (posted) this.#named.set(posted, here);
    if (posted) here.item = { ...here.item, posted, text, outcome, deleted, reactions };
    const at = this.#cells.indexOf(later);
    if (at < this.above) this.above -= 1;
    this.#cells.splice(at, 1);
  }
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
    case "member.left":
    case "member.banned": {
      const { [data.member]: _, ...members } = about.members;
      return { ...about, members, banned: type === "member.banned" ? [...about.banned, data.member] : about.banned };
    }
    case "member.unbanned":
      return { ...about, banned: about.banned.filter((name) => name !== data.member) };
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
    sendKey: typeof key === "string" ? key : null,
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

/** Who said it; null: an assistant, or nobody. @param {Item} item */
export const authorOf = (item) => (item.kind === "message" ? item.by : null);

/** What a reply or a reaction names. @param {Item} item */
export const idOf = (item) => (item.kind === "answer" ? item.posted : item.offset);

/**
 * @param {Message | Answer} item
 * @param {any} data
 * @param {(names: readonly string[]) => readonly string[]} next of the others who reacted so
 * @returns {Message | Answer}
 */
function react(item, { emoji, by }, next) {
  if (item.deleted) return item;
  const { [emoji]: _, ...others } = item.reactions;
  // What is published as an emoji may be the name of what every object has.
  const before = Object.hasOwn(item.reactions, emoji) ? item.reactions[emoji] : [];
  const names = next(before.filter((name) => name !== by));
  return { ...item, reactions: names.length > 0 ? { ...item.reactions, [emoji]: names } : others };
}

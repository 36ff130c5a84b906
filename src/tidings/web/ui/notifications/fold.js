import { isRead, later } from "../log/offset-fold.js";

/** The fold of a person's topic, `users.SLUG`, from the snapshot of `GET /notifications` on. Pure. */

/**
 * @typedef {object} Notification
 * @property {string} offset identifies the notification
 * @property {number} time Unix seconds
 * @property {string} kind mention, everyone, reply, message, answer, invite, or any other word
 * @property {string} title
 * @property {string} text "" when there is none
 * @property {string | null} link
 * @property {string | null} topic its subject, which can be muted
 * @property {string | null} event the offset of its event in that topic
 * @property {string | null} by
 * @property {boolean} read
 */

/**
 * @typedef {object} Notifications
 * @property {readonly Notification[]} items newest first, at most `MOST`
 * @property {number} older the number of unread notifications before these
 * @property {readonly string[]} muted topics, in order
 * @property {readonly string[]} watched topics, in order
 * @property {number | null} dnd the end of Do not disturb, in Unix seconds
 * @property {Readonly<Record<string, string>>} rooms the read markers of rooms, set since the snapshot
 */

/** The most notifications that are kept, as in the snapshot. */
export const MOST = 100;

/** @type {Notifications} */
export const none = { items: [], older: 0, muted: [], watched: [], dnd: null, rooms: {} };

/** @param {any} snapshot the answer of `GET /notifications` @returns {Notifications} */
export function from({ notifications, unread, muted, watched = [], dnd }) {
  const items = notifications.map((/** @type {any} */ one) => ({ ...read(one), read: !!one.read }));
  return { items, older: Math.max(0, unread - fresh(items)), muted, watched, dnd, rooms: {} };
}

/** The number of unread notifications. @param {Notifications} state */
export const unread = ({ items, older }) => fresh(items) + older;

/** @param {readonly Notification[]} items */
const fresh = (items) => items.filter((item) => !item.read).length;

/**
 * @param {Notifications} state
 * @param {import("../../client/index.js").Event} event
 * @returns {Notifications}
 */
export function fold(state, { offset, type, time, data }) {
  if (data === null || typeof data !== "object") return state;
  switch (type) {
    case "notification.created":
      return offset === null ? state : add(state, read({ ...data, offset, time }));
    case "notification.read":
      return "upto" in data ? readUpTo(state, data.upto) : readSome(state, data.offsets);
    case "notification.withdrawn":
      return without(state, data.offsets);
    case "tidings.redacted":
      return without(state, [data.offset]);
    case "room.read":
      return readRoom(state, data);
    case "room.unread":
      return unreadRoom(state, data);
    case "topic.muted":
      return levelled(state, data.topic, "muted", "watched");
    case "topic.watched":
      return levelled(state, data.topic, "watched", "muted");
    case "topic.unmuted":
      return { ...state, muted: state.muted.filter((topic) => topic !== data.topic) };
    case "topic.unwatched":
      return { ...state, watched: state.watched.filter((topic) => topic !== data.topic) };
    case "dnd.set":
      return { ...state, dnd: typeof data.until === "number" ? data.until : null };
    default:
      return state;
  }
}

/**
 * @param {Notifications} state
 * @param {unknown} topic
 * @param {"muted" | "watched"} to the list that gets the topic
 * @param {"muted" | "watched"} from the list that loses it
 * @returns {Notifications}
 */
function levelled(state, topic, to, from) {
  const without = (/** @type {readonly string[]} */ topics) => topics.filter((one) => one !== topic);
  return { ...state, [from]: without(state[from]), [to]: [...without(state[to]), String(topic)].sort() };
}

/** Check if a notification is muted. Mentions never are. @param {Notifications} state @param {Notification} one */
export const isMuted = (state, { kind, topic }) => kind !== "mention" && topic !== null && state.muted.includes(topic);

/** @param {any} data @returns {Notification} */
function read({ offset, time, kind, title, text, link, topic, event, by }) {
  const string = (/** @type {unknown} */ value) => (typeof value === "string" && value ? value : null);
  return {
    offset,
    time,
    kind: string(kind) ?? "notice",
    title: string(title) ?? "Notification",
    text: string(text) ?? "",
    link: string(link),
    topic: string(topic),
    event: string(event),
    by: string(by),
    read: false,
  };
}

/** @param {Notifications} state @param {Notification} one @returns {Notifications} */
function add(state, one) {
  if (state.items.some(({ offset }) => offset === one.offset)) return state;
  const all = [{ ...one, read: isMuted(state, one) || seen(state.rooms, one) }, ...state.items];
  return { ...state, items: all.slice(0, MOST), older: state.older + fresh(all.slice(MOST)) };
}

/** @param {Notifications} state @param {unknown} offsets @returns {Notifications} */
function without(state, offsets) {
  const named = new Set(Array.isArray(offsets) ? offsets : []);
  return { ...state, items: state.items.filter(({ offset }) => !named.has(offset)) };
}

/** @param {Notifications} state @param {unknown} offsets @returns {Notifications} */
function readSome(state, offsets) {
  const named = new Set(Array.isArray(offsets) ? offsets : []);
  const items = state.items.map((item) => (named.has(item.offset) ? { ...item, read: true } : item));
  for (const { offset } of items) named.delete(offset);
  return { ...state, items, older: Math.max(0, state.older - named.size) };
}

/** @param {Notifications} state @param {unknown} upto @returns {Notifications} */
function readUpTo(state, upto) {
  if (typeof upto !== "string") return state;
  const past = (/** @type {Notification} */ { offset }) => isRead(upto, offset);
  const items = state.items.map((item) => (past(item) ? { ...item, read: true } : item));
  return { ...state, items, older: state.items.some(past) ? 0 : state.older };
}

/** Read a room's notifications up to its marker, which only moves forward. @param {Notifications} state @param {any} fact */
function readRoom(state, { room, offset }) {
  if (typeof room !== "string" || typeof offset !== "string") return state;
  const rooms = { ...state.rooms, [room]: later(state.rooms[room] ?? null, offset) };
  const items = state.items.map((item) => (seen(rooms, item) ? { ...item, read: true } : item));
  return { ...state, items, rooms };
}

/** Move a room's marker back to just before an offset. @param {Notifications} state @param {any} fact */
function unreadRoom(state, { room, offset }) {
  if (typeof room !== "string" || !/-\d+$/.test(offset)) return state;
  const marker = Object.hasOwn(state.rooms, room) ? state.rooms[room] : null;
  if (marker !== null && !isRead(marker, offset)) return state;
  const back = offset.replace(/\d+$/, (/** @type {string} */ n) => String(Math.max(0, Number(n) - 1)));
  return { ...state, rooms: { ...state.rooms, [room]: back } };
}

/** Check if a notification's event was read in its room. @param {Notifications["rooms"]} rooms @param {Notification} one */
function seen(rooms, { topic, event }) {
  const [, room] = /^rooms\.(.+)$/.exec(topic ?? "") ?? [];
  return room !== undefined && event !== null && Object.hasOwn(rooms, room) && isRead(rooms[room], event);
}

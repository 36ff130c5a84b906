import { isRead, later } from "../log/offset-fold.js";

/** The fold of a person's rooms and their unread counts, from `users.SLUG` and the rooms' topics. Pure. */

/** @typedef {import("../room/about-fold.js").Role} Role */

/**
 * @typedef {object} Summary
 * @property {string} id
 * @property {string} name
 * @property {string} about
 * @property {boolean} private
 * @property {boolean} archived
 * @property {Role | null} role null for somebody who is not a member
 * @property {Role | null} invited the role that the person gets by joining; null without an invitation
 * @property {boolean} direct it is a direct message, whose `name` is that of the other people
 * @property {readonly string[]} people all people of a direct message
 * @property {number} members their number
 * @property {number} unread at most 100
 * @property {number} mentions the unread ones that call the person
 * @property {string | null} read the read marker
 * @property {string} tail
 * @property {string} told the offset up to which the server has counted; later messages are in `news`
 * @property {readonly {offset: string, mine: boolean}[]} news unread messages since then; `mine`: calls
 *   the person
 */

/** @typedef {readonly Summary[]} Rooms by name */

/** @type {Rooms} */
export const none = [];

/** The highest count. */
const MOST = 100;

/** @param {any[]} found the rooms of `GET /rooms` @param {string} [me] @returns {Rooms} */
export function listed(found, me = "") {
  const rooms = found.map(({ people = [], ...room }) => {
    const direct = people.length > 0;
    const name = direct ? others(people, me) : room.name;
    return { ...room, name, about: room.about ?? "", direct, people, told: room.tail, news: [] };
  });
  return sorted(rooms);
}

/** The name of a direct message: the other people. @param {readonly string[]} people @param {string} me */
export const others = (people, me) => people.filter((name) => name !== me).join(", ");

/** A room's name in a sentence. @param {{direct?: boolean, name: string}} room */
export const signed = ({ direct, name }) => (direct ? name : `#${name}`);

/** @param {Summary[]} rooms @returns {Rooms} */
const sorted = (rooms) => rooms.sort((a, b) => a.name.localeCompare(b.name) || (a.id < b.id ? -1 : 1));

/**
 * @param {Rooms} rooms
 * @param {import("../../client/index.js").Event} event of a room's topic, or of `users.SLUG`
 * @param {string} me
 * @returns {Rooms}
 */
export function fold(rooms, event, me) {
  const { topic, offset, type, data } = event;
  if (offset === null || data === null || typeof data !== "object") return rooms;
  if (type === "room.read") return rooms.map((room) => (room.id === data.room ? readTo(room, data.offset) : room));
  const id = topic.replace(/^rooms\./, "");
  if (id === topic) return rooms;
  const next = rooms.map((room) => (room.id === id ? step(room, /** @type {any} */ (event), me) : room));
  return type === "room.renamed" ? sorted([...next]) : next;
}

/** @param {Summary} room @param {import("../room/fold.js").Stored} event @param {string} me @returns {Summary} */
function step(room, { offset, type, data }, me) {
  if (isRead(room.tail, offset)) return room;
  const now = { ...room, tail: offset };
  switch (type) {
    case "message.posted":
    case "answer.posted":
      if (data.by === me) return now;
      return counted(now, [...room.news, { offset, mine: [data.mentions, data.everyone].flat().includes(me) }]);
    case "room.renamed":
      return { ...now, name: data.name ?? room.name, about: data.about ?? room.about };
    case "room.archived":
      return { ...now, archived: true };
    case "room.restored":
      return { ...now, archived: false };
    case "member.joined":
      return { ...now, members: room.members + 1, role: data.member === me ? data.role : room.role };
    case "member.role":
      return data.member === me ? { ...now, role: data.role } : now;
    case "member.left":
      return { ...now, members: room.members - 1, role: data.member === me ? null : room.role };
    case "member.banned":
      // The ban of somebody who was no member took no role.
      return { ...now, members: room.members - (data.role ? 1 : 0), role: data.member === me ? null : room.role };
    default:
      return now;
  }
}

/** Count one more unread message. @param {Summary} room @param {Summary["news"]} news @returns {Summary} */
function counted(room, news) {
  const mine = news.at(-1)?.mine ? 1 : 0;
  return { ...room, news, unread: Math.min(MOST, room.unread + 1), mentions: Math.min(MOST, room.mentions + mine) };
}

/**
 * Move the read marker. Markers only move forward, so one before the server's count changes nothing.
 * @param {Summary} room
 * @param {string} offset
 * @returns {Summary}
 */
function readTo(room, offset) {
  if (typeof offset !== "string" || isRead(room.read, offset)) return room;
  const read = later(room.read, offset);
  if (!isRead(read, room.told)) return { ...room, read };
  const news = room.news.filter((one) => !isRead(read, one.offset));
  return { ...room, read, news, unread: Math.min(MOST, news.length), mentions: news.filter((one) => one.mine).length };
}

/** The read markers of rooms, for all tabs and devices of the person. */
import { connectionStatus, tidings } from "../connection/state.js";
import { later } from "../log/offset-fold.js";
import { ended, userTopic } from "../session/state.js";
import { before } from "./events-fold.js";

/** @typedef {import("./state.js").Room} Room */

/** Rooms whose markers are being set, each with what is called when more events have come meanwhile. @type {WeakMap<Room, () => void>} */
const marking = new WeakMap();

/** Rooms that the person has marked unread. They stay so until they are opened again. @type {WeakSet<Room>} */
const kept = new WeakSet();

/**
 * Mark a room read up to its end.
 * @param {Room} room
 * @param {() => void} again called when more events have come meanwhile; the last one that was given
 */
export async function markRead(room, again) {
  const offset = room.position.value;
  const connected = connectionStatus.value === "live" || connectionStatus.value === "back";
  if (kept.has(room) || !connected || !userTopic.value || room.role.value === null || !offset) return;
  const under = marking.has(room);
  if (under) marking.set(room, again);
  if (under || (room.read.value !== null && !room.isUnread(room.read.value))) return;
  marking.set(room, again);
  room.read.value = later(room.read.value, offset);
  try {
    await tidings.publish(userTopic.value, { room: room.id, offset }, { type: "room.read" });
  } catch (error) {
    ended(error);
  }
  const last = marking.get(room);
  marking.delete(room);
  if (room.position.value !== offset) last?.();
}

/** Mark a room unread from a message on. @param {Room} room @param {string} offset names the message */
export function markUnread(room, offset) {
  keepUnread(room, offset);
  return tidings.publish(userTopic.value ?? "", { room: room.id, offset }, { type: "room.unread" });
}

/** Show a room as unread from a message on, and leave it so. @param {Room} room @param {string} offset */
export function keepUnread(room, offset) {
  kept.add(room);
  room.read.value = room.since.value = before({ offset });
}

/** Let a room be marked read again. @param {Room} room */
export const letRead = (room) => void kept.delete(room);

import { pins } from "../conversation/list-state.js";
import { goRoom, openRoom } from "../page/address.js";
import { announcement } from "../page/layout.js";
import { joined, rooms } from "../rooms/state.js";

/**
 * Open the next room with unread messages, in the order of the side bar, around its end.
 * @param {number} step 1: below the open room; -1: above it
 */
export function goUnread(step) {
  const mine = joined(rooms.value);
  const pinned = pins.value.flatMap((topic) => mine.filter(({ id }) => topic === `rooms.${id}`));
  const all = [...new Set([...pinned, ...mine])];
  const at = all.findIndex(({ id }) => id === openRoom.value);
  const from = at < 0 && step < 0 ? 0 : at;
  const next = all
    .map((_, n) => all[(from + step * (n + 1) + 2 * all.length) % all.length])
    .find(({ id, unread }) => unread > 0 && id !== openRoom.value);
  if (next) goRoom(next.id);
  else announcement.value = "No unread rooms.";
}

import { toClipboard } from "../kit/copy.js";
import { goRoom } from "../page/address.js";
import { announcement } from "../page/layout.js";
import { serverRoot } from "../page/root.js";
import { session } from "../session/state.js";
import { brief } from "../text/format.js";
import { openDirect, withTrouble } from "./actions-state.js";
import { markUnread } from "./marker-state.js";

/** @typedef {import("../kit/menu.js").Item} Item */
/** @typedef {import("./state.js").Room} Room */

/**
 * The items that the menus of messages and answers share.
 * @param {Room} room
 * @param {string} offset names the message or the answer
 * @param {boolean} own
 * @returns {Item[]}
 */
export function sharedItems(room, offset, own) {
  const address = `${location.origin}${serverRoot}r/${room.id}?at=${offset}`;
  const copy = async () => (announcement.value = (await toClipboard(address)) ? "Link copied" : "Link not copied");
  const unread = { icon: "bell", label: "Mark unread", run: () => void withTrouble(markUnread(room, offset)) };
  return [
    { icon: "link", label: "Copy link", run: () => void copy() },
    ...(own || room.role.value === null ? [] : [unread]),
  ];
}

/**
 * The item that opens the direct message with a person; none where that is open, or for oneself.
 * @param {string} name
 * @param {Room} room the open room
 * @returns {Item[]}
 */
export function writingTo(name, { about }) {
  const { direct, members = {}, invited = {} } = about.value ?? {};
  const alone = direct && Object.keys(members).length + Object.keys(invited).length === 2;
  if (!session.value?.name || name === session.value.name || alone) return [];
  const open = async () => goRoom(await openDirect([name]));
  return [{ icon: "user", label: `Message ${brief(name, 24)}`, run: () => void withTrouble(open()) }];
}

import { conversationTitle } from "../conversation/shown-state.js";
import { late } from "../kit/lazy.js";
import { isLater } from "../page/address.js";
import { roomTitle, shownRoom } from "../room/shown-state.js";

/** The title of what is open. */
export function title() {
  if (isLater.value) return late("laterTitle")?.() ?? "";
  return shownRoom.value ? roomTitle(shownRoom.value) : conversationTitle();
}

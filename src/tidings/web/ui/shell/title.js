import { docTitle } from "../docs/state.js";
import { openDoc } from "../page/address.js";
import { conversationTitle } from "../conversation/shown-state.js";
import { roomTitle, shownRoom } from "../room/shown-state.js";

/** The title of what is open. */
export function title() {
  if (openDoc.value) return docTitle.value;
  return shownRoom.value ? roomTitle(shownRoom.value) : conversationTitle();
}

import { conversationTitle } from "../conversation/shown-state.js";
import { roomTitle, shownRoom } from "../room/shown-state.js";

/** The title of what is open. */
export const title = () => (shownRoom.value ? roomTitle(shownRoom.value) : conversationTitle());

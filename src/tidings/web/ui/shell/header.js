import { ConversationHeader } from "../conversation/header.js";
import { html } from "../kit/html.js";
import { RoomHeader } from "../room/header.js";
import { shownRoom } from "../room/shown-state.js";

export function Header() {
  return shownRoom.value ? html`<${RoomHeader} />` : html`<${ConversationHeader} />`;
}

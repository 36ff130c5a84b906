import { ConversationHeader } from "../conversation/header.js";
import { html } from "../kit/html.js";
import { lazy } from "../kit/lazy.js";
import { Bell } from "../notifications/bell.js";
import { isLater } from "../page/address.js";
import { RoomHeader } from "../room/header.js";
import { shownRoom } from "../room/shown-state.js";

const LaterHeader = lazy("LaterHeader");

export function Header() {
  if (isLater.value) return html`<${LaterHeader} bell=${html`<${Bell} size=${20} />`} />`;
  return shownRoom.value ? html`<${RoomHeader} />` : html`<${ConversationHeader} />`;
}

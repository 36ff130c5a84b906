import { ConversationHeader } from "../conversation/header.js";
import { html } from "../kit/html.js";
import { lazy } from "../kit/lazy.js";
import { Bell } from "../notifications/bell.js";
import { openDoc } from "../page/address.js";
import { RoomHeader } from "../room/header.js";
import { shownRoom } from "../room/shown-state.js";

const DocHeader = lazy("DocHeader");

export function Header() {
  if (openDoc.value) return html`<${DocHeader} bell=${html`<${Bell} size=${20} />`} />`;
  return shownRoom.value ? html`<${RoomHeader} />` : html`<${ConversationHeader} />`;
}

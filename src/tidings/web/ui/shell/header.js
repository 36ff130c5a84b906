import { ConversationHeader } from "../conversation/header.js";
import { DocHeader } from "../docs/page.js";
import { html } from "../kit/html.js";
import { openDoc } from "../page/address.js";
import { RoomHeader } from "../room/header.js";
import { shownRoom } from "../room/shown-state.js";

export function Header() {
  if (openDoc.value) return html`<${DocHeader} />`;
  return shownRoom.value ? html`<${RoomHeader} />` : html`<${ConversationHeader} />`;
}

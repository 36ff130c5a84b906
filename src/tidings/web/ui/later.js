/** The parts that the first page does without. They are loaded when the first is drawn, or the page is first used. */
export { Cards } from "./answer/data-card.js";
export { Request } from "./answer/request.js";
export { RunAside } from "./answer/run-aside.js";
export { Delete as DeleteConversation, Rename as RenameConversation } from "./conversation/dialogs.js";
export { download } from "./conversation/export.js";
export { Lightbox } from "./files/lightbox.js";
export { Centre } from "./notifications/centre.js";
export { ProcessSection } from "./processes/list.js";
export { RoomDialog } from "./room/dialogs.js";
export { emojiNamed, emojiStarting } from "./room/emoji-state.js";
export { ConnectModel, Help } from "./shell/help.js";
export { LaterAside, LaterHeader, LaterPage, laterTitle } from "./shell/later-place.js";
export { Palette } from "./shell/search.js";
export { SignIn } from "./signin/page.js";

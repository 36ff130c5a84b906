import { html } from "../kit/html.js";
import { lazy } from "../kit/lazy.js";
import { dialog } from "../page/layout.js";

const [Palette, Lightbox, RoomDialog] = ["Palette", "Lightbox", "RoomDialog"].map(lazy);
const [Help, ConnectModel] = ["Help", "ConnectModel"].map(lazy);
const [Rename, Delete] = ["RenameConversation", "DeleteConversation"].map(lazy);

/** The open dialog. */
export function Dialogs() {
  const now = dialog.value;
  // Keyed by the value: a dialog that is opened again before the browser has told of its end is another one.
  return now && html`<${Opened} key=${now} now=${now} />`;
}

/** @param {{now: import("../page/layout.js").Dialog}} props */
function Opened({ now }) {
  if (now.kind === "search") return html`<${Palette} room=${now.room ?? null} />`;
  if (now.kind === "help") return html`<${Help} />`;
  if (now.kind === "model") return html`<${ConnectModel} />`;
  if (now.kind === "rename") return html`<${Rename} id=${now.id} />`;
  if (now.kind === "delete") return html`<${Delete} id=${now.id} />`;
  if (now.kind === "drawn") return now.draw();
  if (now.kind === "pictures") return html`<${Lightbox} ...${now} />`;
  return html`<${RoomDialog} now=${now} />`;
}

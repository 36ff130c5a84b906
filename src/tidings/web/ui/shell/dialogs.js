import { Delete, Rename } from "../conversation/dialogs.js";
import { Modal } from "../kit/dialog.js";
import { html } from "../kit/html.js";
import { dialog } from "../page/layout.js";
import { RoomDialog } from "../room/dialogs.js";
import { Palette } from "./search.js";

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
  if (now.kind === "rename") return html`<${Rename} id=${now.id} />`;
  if (now.kind === "delete") return html`<${Delete} id=${now.id} />`;
  return html`<${RoomDialog} now=${now} />`;
}

const KEYS = [
  ["Enter", "Send"],
  ["Shift Enter", "New line"],
  ["Esc", "Stop the answer"],
  ["\u2191", "Edit your last message (when the composer is empty)"],
  ["\u2191 \u2193", "Move between messages"],
  ["Ctrl K", "Search rooms and conversations"],
  ["Shift F10", "Open the menu of a room or conversation (in the side bar)"],
  ["F8", "Focus the newest notification"],
  ["?", "Show shortcuts"],
];

const Help = () => html`
  <${Modal} title="Keyboard shortcuts">
    <dl class="keys">
      ${KEYS.map(
        ([keys, does]) =>
          html`<div>
            <dt>${keys.split(" ").map((key) => html`<kbd>${key}</kbd>`)}</dt>
            <dd>${does}</dd>
          </div>`,
      )}
    </dl>
  <//>
`;

import { remove, rename, titled } from "../state/library.js";
import { dialog, go, open } from "../state/shell.js";
import { Choices, Failed, field, Sure, useDoing } from "./doing.js";
import { html } from "./html.js";
import { Modal } from "./modal.js";
import { Palette } from "./palette.js";
import { RoomDialog } from "./room-dialogs.js";

/** The dialog that is open, if any. */
export function Dialogs() {
  const now = dialog.value;
  if (!now) return null;
  if (now.kind === "search") return html`<${Palette} room=${now.room ?? null} />`;
  if (now.kind === "help") return html`<${Help} />`;
  if (now.kind === "rename") return html`<${Rename} id=${now.id} />`;
  if (now.kind === "delete") return html`<${Delete} id=${now.id} />`;
  return html`<${RoomDialog} now=${now} />`;
}

/** @param {{id: string}} props */
function Rename({ id }) {
  const doing = useDoing((form) => rename(id, field(form, "title")));
  return html`
    <${Modal} title="Rename the conversation">
      <form onSubmit=${doing.go}>
        <label class="field"
          ><span>Title</span
          ><input
            name="title"
            type="text"
            maxlength="200"
            defaultValue=${titled(id) ?? ""}
            data-first
            required
            pattern=".*\\S.*"
        /></label>
        <${Failed} doing=${doing} />
        <${Choices} act="Rename" busy=${doing.busy} />
      </form>
    <//>
  `;
}

/** @param {{id: string}} props */
function Delete({ id }) {
  const away = async () => (await remove(id), () => void (open.value === id && go(null)));
  return html`
    <${Sure} title="Delete the conversation" what=${titled(id)} act="Delete" run=${away}>
      Its questions and answers are deleted from the log, for every tab and device. They cannot be brought back.
    <//>
  `;
}

const KEYS = [
  ["Enter", "Send"],
  ["Shift Enter", "Add a line"],
  ["Esc", "Stop the answer"],
  ["\u2191", "Change the last question, in an empty composer"],
  ["\u2191 \u2193", "From message to message, on one of a room"],
  ["Ctrl K", "Search rooms and conversations"],
  ["F8", "Go to the newest notification, while it is shown"],
  ["?", "This list"],
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

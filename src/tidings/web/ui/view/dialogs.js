import { useSignal } from "@preact/signals";
import { standing } from "../state/connection.js";
import { remove, rename, titled } from "../state/library.js";
import { dialog, go, open } from "../state/shell.js";
import { html } from "./html.js";
import { close, Modal } from "./modal.js";
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
  const failed = useSignal("");
  const save = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const title = String(new FormData(/** @type {HTMLFormElement} */ (event.currentTarget)).get("title")).trim();
    if (!title) return;
    try {
      const renamed = rename(id, title.slice(0, 200));
      // It is sent when there is a connection again; nobody has to wait here for that.
      if (standing.value === "lost") renamed.catch(() => {});
      else await renamed;
      close();
    } catch (error) {
      failed.value = /** @type {Error} */ (error).message;
    }
  };
  return html`
    <${Modal} title="Rename the conversation">
      <form onSubmit=${save}>
        <label class="field"
          ><span>Title</span
          ><input name="title" type="text" maxlength="200" value=${titled(id) ?? ""} data-first required
        /></label>
        ${failed.value && html`<p class="error" role="alert">${failed.value}</p>`}
        <div class="choices">
          <button type="button" class="button" onClick=${close}>Cancel</button>
          <button type="submit" class="button primary">Rename</button>
        </div>
      </form>
    <//>
  `;
}

/** @param {{id: string}} props */
function Delete({ id }) {
  const failed = useSignal("");
  const confirm = async () => {
    try {
      await remove(id);
      close();
      if (open.value === id) go(null);
    } catch (error) {
      failed.value = /** @type {Error} */ (error).message;
    }
  };
  return html`
    <${Modal} title="Delete the conversation">
      <p><b>${titled(id)}</b></p>
      <p>Its questions and answers are deleted from the log, for every tab and device. They cannot be brought back.</p>
      ${failed.value && html`<p class="error" role="alert">${failed.value}</p>`}
      <div class="choices">
        <button type="button" class="button" data-first onClick=${close}>Keep it</button>
        <button type="button" class="button danger" onClick=${confirm}>Delete</button>
      </div>
    <//>
  `;
}

const KEYS = [
  ["Enter", "Send"],
  ["Shift Enter", "Add a line"],
  ["Esc", "Stop the answer"],
  ["\u2191", "Change the last question, in an empty composer"],
  ["Ctrl K", "Search rooms and conversations"],
  ["\u2191 \u2193", "From message to message in a room"],
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

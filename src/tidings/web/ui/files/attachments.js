import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { IconButton } from "../kit/button.js";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { editing } from "../page/drafts.js";
import { compact, dialog, signingIn } from "../page/layout.js";
import { session } from "../session/state.js";
import { size } from "../text/format.js";
import { FileName } from "./files.js";
import { attach, attachedTo, detach, uploadAgain } from "./state.js";

/** @typedef {import("./state.js").Attachment} Attachment */

/**
 * The message or question that is being written, to which files are attached.
 * @typedef {object} Target
 * @property {string} place the room or the conversation, as "rooms/ID"
 * @property {number} maxFile bytes of the largest file that is taken
 * @property {(wrong: string) => void} tell shows the reason why files were not attached; "" takes it away
 */

/** @param {Target} target @param {Iterable<File> | null | undefined} files */
function add(target, files) {
  const some = [...(files ?? [])];
  if (some.length === 0) return;
  if (!session.value?.name) signingIn.value = true;
  else target.tell(editing.value ? "Files cannot be added to a message that was sent." : attach(target, some));
}

/** Return the focus to the composer. On a phone the keyboard would open. */
function goOn() {
  if (!compact.value) document.getElementById("composer")?.focus();
}

/** The button that attaches chosen files. @param {{target: Target}} props */
export function Paperclip({ target }) {
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  const chosen = () => {
    const input = /** @type {HTMLInputElement} */ (field.current);
    add(target, input.files);
    input.value = ""; // so that the same file can be chosen again
    goOn();
  };
  return html`
    <${IconButton} icon="paperclip" label="Attach files" onClick=${() => field.current?.click()} />
    <input type="file" multiple hidden ref=${field} onChange=${chosen} />
  `;
}

/** Attach pasted files. @param {ClipboardEvent} event @param {Target} target */
export function pasteFiles(event, target) {
  const { files, types } = /** @type {DataTransfer} */ (event.clipboardData);
  // Office programs add a picture of a copied text. Here the text is meant.
  if (files.length === 0 || (types.includes("text/plain") && types.includes("text/html"))) return;
  event.preventDefault();
  add(target, files);
}

/** The drop target for files: the whole window, while files are dragged over it. @param {{target: Target, to: string}} props */
export function Drop({ target, to }) {
  const over = useSignal(false);
  useEffect(() => {
    let own = false; // a dragged picture of this page comes as a file too
    const held = (/** @type {DragEvent} */ event) => {
      if (own || !event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault(); // otherwise the browser opens the file in place of the page
      over.value = event.type === "dragover" && !dialog.value;
      if (event.type === "drop" && !dialog.value) add(target, event.dataTransfer.files);
    };
    const left = (/** @type {DragEvent} */ event) => {
      if (event.relatedTarget === null) over.value = false;
    };
    const moved = (/** @type {DragEvent} */ event) => void (own = event.type === "dragstart");
    const served = { dragover: held, drop: held, dragleave: left, dragstart: moved, dragend: moved };
    const entries = /** @type {["drop", (event: DragEvent) => void][]} */ (Object.entries(served));
    for (const [type, serve] of entries) document.addEventListener(type, serve);
    return () => {
      for (const [type, serve] of entries) document.removeEventListener(type, serve);
    };
  }, [target.place]);
  return over.value && html`<div class="drop"><p>Drop files to attach them to ${to}.</p></div>`;
}

/** The attached files, above the text that is being written. @param {{place: string}} props */
export function Attached({ place }) {
  const attached = attachedTo(place);
  if (attached.length === 0 || editing.value) return null;
  return html`
    <ul class="attached" aria-label="Attached files">
      ${attached.map((one) => html`<${Chip} key=${one.key} attachment=${one} />`)}
    </ul>
  `;
}

/** @param {{attachment: Attachment}} props */
function Chip({ attachment: { key, file, picture, state, share, wrong } }) {
  const odd = useSignal(false); // the file is no picture, although its type says so
  const remove = () => (detach(key), goOn());
  return html`
    <li class="file" data-state=${state}>
      ${
        picture && !odd.value
          ? html`<img src=${picture} alt="" width="24" height="24" onError=${() => (odd.value = true)} />`
          : html`<${Icon} name="file-text" />`
      }
      <${FileName} name=${file.name} />
      <small
        >${state === "going" ? `${Math.floor(share * 100)}\u00a0% of ` : ""}${size(file.size)}${state === "waiting" && ", waits"}</small
      >
      <${IconButton} icon="x" label=${`Remove ${file.name}`} size=${14} onClick=${remove} />
      ${
        wrong &&
        html`<p class="wrong" role="alert">
          ${wrong}
          ${state === "broken" && html`<button type="button" class="link" onClick=${() => uploadAgain(key)}>Retry</button>`}
        </p>`
      }
      ${!wrong && state !== "whole" && html`<progress aria-label=${`Upload of ${file.name}`} value=${share} />`}
    </li>
  `;
}

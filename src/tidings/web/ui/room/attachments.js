import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { FileName } from "../files/files.js";
import { attach, attached, detach, uploadAgain } from "../files/state.js";
import { IconButton } from "../kit/button.js";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { editing } from "../page/drafts.js";
import { compact, dialog } from "../page/layout.js";
import { size } from "../text/format.js";
import { trouble } from "./actions-state.js";

/** @typedef {import("../files/state.js").Attachment} Attachment */

/** @typedef {import("./state.js").Room} Room */

/** @param {Room} room @param {Iterable<File> | null | undefined} files */
function add(room, files) {
  const some = [...(files ?? [])];
  if (some.length === 0) return;
  trouble.value = editing.value ? "Files cannot be added to a message that was sent." : attach(room, some);
}

/** Return the focus to the composer. On a phone the keyboard would open. */
function goOn() {
  if (!compact.value) document.getElementById("composer")?.focus();
}

/** The button that attaches chosen files. @param {{room: Room}} props */
export function Paperclip({ room }) {
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  const chosen = () => {
    const input = /** @type {HTMLInputElement} */ (field.current);
    add(room, input.files);
    input.value = ""; // so that the same file can be chosen again
    goOn();
  };
  return html`
    <${IconButton} icon="paperclip" label="Attach files" onClick=${() => field.current?.click()} />
    <input type="file" multiple hidden ref=${field} onChange=${chosen} />
  `;
}

/** Attach pasted files. @param {ClipboardEvent} event @param {Room} room */
export function pasteFiles(event, room) {
  const { files, types } = /** @type {DataTransfer} */ (event.clipboardData);
  // Office programs add a picture of a copied text. Here the text is meant.
  if (files.length === 0 || (types.includes("text/plain") && types.includes("text/html"))) return;
  event.preventDefault();
  add(room, files);
}

/** The drop target for files: the whole window, while files are dragged over it. @param {{room: Room, name: string}} props */
export function Drop({ room, name }) {
  const over = useSignal(false);
  useEffect(() => {
    let own = false; // a dragged picture of this page comes as a file too
    const held = (/** @type {DragEvent} */ event) => {
      if (own || !event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault(); // otherwise the browser opens the file in place of the page
      over.value = event.type === "dragover" && !dialog.value;
      if (event.type === "drop" && !dialog.value) add(room, event.dataTransfer.files);
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
  }, [room]);
  return over.value && html`<div class="drop"><p>Drop files to attach them to your message in ${name}.</p></div>`;
}

/** The attached files, above the text that is being written. */
export function Attached() {
  if (attached.value.length === 0) return null;
  return html`
    <ul class="attached" aria-label="Attached files">
      ${attached.value.map((one) => html`<${Chip} key=${one.key} attachment=${one} />`)}
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

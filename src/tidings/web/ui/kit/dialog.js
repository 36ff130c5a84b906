import { useLayoutEffect, useRef } from "preact/hooks";
import { dialog } from "../page/layout.js";
import { IconButton } from "./button.js";
import { html } from "./html.js";

export const close = () => (dialog.value = null);

/**
 * A modal dialog; Esc and a click beside it close it, and the focus goes back where it was. `data-first` has it first.
 * @param {{title: string, wide?: boolean, bare?: boolean, children: any}} props `bare`: it brings its own head
 */
export function Modal({ title, wide = false, bare = false, children }) {
  const root = useRef(/** @type {HTMLDialogElement | null} */ (null));
  // The browser tells of its closing late: by then another dialog may be open.
  const mine = useRef(dialog.value);
  const closed = () => dialog.value === mine.current && close();
  useLayoutEffect(() => {
    const box = /** @type {HTMLDialogElement} */ (root.current);
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    box.showModal();
    /** @type {HTMLElement | null} */ (box.querySelector("[data-first]"))?.focus();
    // Closed by Esc, the browser has given it back already, and it may have gone elsewhere since.
    return () => box.open && before?.focus();
  }, []);
  const beside = (/** @type {Event} */ event) => event.target === root.current && close();
  return html`
    <dialog
      ref=${root}
      class=${wide ? "modal wide" : "modal"}
      aria-label=${title}
      onClose=${closed}
      onPointerDown=${beside}
    >
      <div class="sheet">
        ${
          !bare &&
          html`<header>
            <h2>${title}</h2>
            <${IconButton} icon="x" label="Close" onClick=${close} />
          </header>`
        }
        ${children}
      </div>
    </dialog>
  `;
}

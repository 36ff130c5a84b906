import { useLayoutEffect, useRef } from "preact/hooks";
import { dialog } from "../page/layout.js";
import { IconButton } from "./button.js";
import { html } from "./html.js";

export const close = () => (dialog.value = null);

/**
 * A modal dialog. Esc and a click beside it close it, and the focus returns to the element that had it. The element with
 * `data-first` gets the focus first.
 * @param {{title: string, wide?: boolean, bare?: boolean, children: any}} props `bare`: without a header
 */
export function Modal({ title, wide = false, bare = false, children }) {
  const root = useRef(/** @type {HTMLDialogElement | null} */ (null));
  // The browser fires `close` late. By then another dialog may be open.
  const mine = useRef(dialog.value);
  const closed = () => dialog.value === mine.current && close();
  useLayoutEffect(() => {
    const box = /** @type {HTMLDialogElement} */ (root.current);
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    box.showModal();
    /** @type {HTMLElement | null} */ (box.querySelector("[data-first]"))?.focus();
    // After Esc the browser has returned the focus already, and it may have moved since.
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

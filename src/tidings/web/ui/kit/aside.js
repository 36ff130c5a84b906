import { useRef } from "preact/hooks";
import { wide } from "../page/layout.js";
import { IconButton } from "./button.js";
import { html } from "./html.js";
import { useOverlay } from "./overlay.js";

/**
 * The panel at the right of the page: a column on a wide page, else a sheet over it.
 * @param {object} props
 * @param {string} props.title
 * @param {string} [props.kind] further classes
 * @param {string} props.closeLabel
 * @param {() => void} props.onClose
 * @param {any} [props.children]
 */
export function Aside({ title, kind = "", closeLabel, onClose, children }) {
  const root = useRef(/** @type {HTMLElement | null} */ (null));
  useOverlay(root, !wide.value, onClose);
  return html`
    ${!wide.value && html`<div class="scrim" onClick=${onClose} />`}
    <aside class=${`aside ${kind}`} aria-label=${title} ref=${root}>
      <header>
        <h2>${title}</h2>
        <${IconButton} icon=${wide.value ? "panel-right-close" : "x"} label=${closeLabel} onClick=${onClose} />
      </header>
      ${children}
    </aside>
  `;
}

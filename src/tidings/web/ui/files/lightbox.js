import { useSignal } from "@preact/signals";
import { IconButton } from "../kit/button.js";
import { Modal, close } from "../kit/dialog.js";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { size } from "../text/format.js";
import { FileName } from "./files.js";
import { addressOf } from "./state.js";

/**
 * The pictures of a message, one at a time, as large as the window. Arrow keys go from picture to picture.
 * @param {{place: string, pictures: readonly import("./state.js").Stored[], first: number}} props
 */
export function Lightbox({ place, pictures, first }) {
  const at = useSignal(first);
  const picture = pictures[at.value];
  const address = addressOf(place, picture.id);
  const several = pictures.length > 1;
  const step = (/** @type {number} */ by) => (at.value = (at.value + by + pictures.length) % pictures.length);
  const keys = (/** @type {KeyboardEvent} */ event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by || !several) return;
    event.preventDefault();
    step(by);
  };
  return html`
    <${Modal} title=${picture.name} bare>
      <div class="lightbox" onKeyDown=${keys}>
        <header>
          <h2><${FileName} name=${picture.name} /></h2>
          <p role="status">${several && `${at.value + 1} of ${pictures.length} \u00b7 `}${size(picture.size)}</p>
          <a
            class="icon-button"
            href=${address}
            download=${picture.name}
            aria-label=${`Download ${picture.name}`}
            title="Download"
          >
            <${Icon} name="download" size=${18} />
          </a>
          <${IconButton} icon="x" label="Close" data-first onClick=${close} />
        </header>
        <div class="shown">
          ${several && html`<${IconButton} icon="chevron-left" label="Previous picture" keys="←" onClick=${() => step(-1)} />`}
          <img key=${picture.id} src=${address} alt=${picture.name} />
          ${several && html`<${IconButton} icon="chevron-right" label="Next picture" keys="→" onClick=${() => step(1)} />`}
        </div>
      </div>
    <//>
  `;
}

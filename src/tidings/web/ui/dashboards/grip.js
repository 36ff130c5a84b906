import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { announcement } from "../page/layout.js";
import { moved, resized } from "./document-fold.js";
import { change, draft } from "./state.js";

/** The steps of arrow keys. @type {Record<string, 1 | -1>} */
const STEPS = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };

/** Move a card by a step, and say where it is now. @param {import("./document-fold.js").Card} card @param {1 | -1} step */
export function step(card, step) {
  const at = place(card.id);
  change((board) => moved(board, card.id, at + step));
  announcement.value = `${card.title}: place ${place(card.id) + 1} of ${draft.value?.cards.length ?? 0}`;
}

/** The place of a card among all. @param {string} id */
const place = (id) => draft.value?.cards.findIndex((card) => card.id === id) ?? -1;

/**
 * The handle of a card: it is dragged, or moved by the arrow keys. With Shift, the keys change the card's width.
 * @param {{card: import("./document-fold.js").Card}} props
 */
export function Grip({ card }) {
  const keys = (/** @type {KeyboardEvent} */ event) => {
    const by = STEPS[event.key];
    if (!by) return;
    event.preventDefault();
    if (event.shiftKey) change((board) => resized(board, card.id, by));
    else step(card, by);
    // An element that is moved on the page loses the focus.
    const grip = /** @type {HTMLElement} */ (event.currentTarget);
    requestAnimationFrame(() => grip.focus());
  };
  return html`
    <button
      type="button"
      class="grip"
      aria-label=${`Move ${card.title}`}
      title="Drag, or move by arrow keys. With Shift they change the width."
      onKeyDown=${keys}
      onPointerDown=${(/** @type {PointerEvent} */ event) => drag(card.id, event)}
    >
      <${Icon} name="menu" />
    </button>
  `;
}

/** Follow the pointer until it is let go: the card takes the place of the one that it is over. Esc puts it back. @param {string} id @param {PointerEvent} start */
function drag(id, start) {
  if (start.button !== 0) return;
  start.preventDefault(); // no text is selected
  /** @type {HTMLElement} */ (start.currentTarget).focus();
  const before = draft.value;
  let last = "";
  const move = (/** @type {PointerEvent} */ { clientX, clientY }) => {
    const under = document.elementFromPoint(clientX, clientY)?.closest("[data-card]");
    const other = under instanceof HTMLElement ? (under.dataset.card ?? "") : "";
    if (other === last) return; // cards of other sizes would change places with every movement
    last = other;
    if (other && other !== id) change((board) => moved(board, id, place(other)));
  };
  const end = () => {
    document.removeEventListener("pointermove", move);
    document.removeEventListener("pointerup", end);
    document.removeEventListener("pointercancel", back);
    document.removeEventListener("keydown", escape, true);
    document.body.classList.remove("dragging");
  };
  const back = () => {
    end();
    if (before) change(() => before);
  };
  const escape = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    back();
  };
  document.body.classList.add("dragging");
  document.addEventListener("pointermove", move);
  document.addEventListener("pointerup", end);
  document.addEventListener("pointercancel", back);
  document.addEventListener("keydown", escape, true);
}

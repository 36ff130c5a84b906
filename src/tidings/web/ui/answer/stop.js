import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { html } from "../kit/html.js";
import { compact, dialog } from "../page/layout.js";
import { ended } from "../session/state.js";
import { refusedAs } from "../toasts/state.js";
import { stop } from "./state.js";

/**
 * The button that stops a run. Esc stops it too, while the focus is inside `within` and no dialog or menu is open.
 * @param {{run: string, within: string, quiet?: boolean}} props `within`: a CSS selector; `quiet`: the
 *   button stands in a line of text
 */
export function Stop({ run, within, quiet = false }) {
  const pressed = useSignal(false);
  const press = async () => {
    if (pressed.value) return;
    pressed.value = true;
    try {
      await stop(run);
    } catch (error) {
      pressed.value = false;
      if (!ended(error)) refusedAs("Answer not stopped")(/** @type {Error} */ (error));
    }
  };
  useEffect(() => {
    const keys = (/** @type {KeyboardEvent} */ event) => {
      const at = /** @type {Element} */ (event.target);
      if (event.key === "Escape" && !event.defaultPrevented && !dialog.value && at.closest(within)) void press();
    };
    document.addEventListener("keydown", keys);
    return () => document.removeEventListener("keydown", keys);
  }, [run]);
  return html`
    <button
      type="button"
      class=${quiet ? "quiet stop" : "button stop"}
      aria-keyshortcuts="Escape"
      aria-disabled=${String(pressed.value)}
      onClick=${press}
    >
      <i class="square" />${pressed.value ? "Stopping" : "Stop"}
      ${!quiet && !compact.value && html`<kbd aria-hidden="true">Esc</kbd>`}
    </button>
  `;
}

import { useLayoutEffect } from "preact/hooks";
import { compact } from "../page/layout.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";

/** @param {{waits?: string}} props `waits`: the reason why nothing can be sent yet */
export const Send = ({ waits = "" }) => html`
  <button type="submit" class="button primary" aria-disabled=${String(waits !== "")} title=${waits || undefined}>
    <${Icon} name="arrow-up" />Send
  </button>
`;

/** CSS can grow the field. Measuring the text instead lays out the page twice for each key. */
const GROWS = CSS.supports("field-sizing", "content");

/** Let the field grow with its text. @param {import("preact").RefObject<HTMLTextAreaElement | null>} area @param {string} text */
export function useHeight(area, text) {
  useLayoutEffect(() => {
    const box = area.current;
    if (!box || GROWS) return;
    box.style.height = "auto";
    box.style.height = `${box.scrollHeight}px`;
  }, [text, compact.value]);
}

export function focusComposer() {
  requestAnimationFrame(() => document.getElementById("composer")?.focus());
}

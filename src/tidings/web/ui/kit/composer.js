import { useEffect, useLayoutEffect } from "preact/hooks";
import { compact } from "../page/layout.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";

/**
 * The field in which people write, with a bar of tools below it. Enter sends, Shift+Enter adds a line.
 * @param {object} props
 * @param {string} props.label of the form
 * @param {Record<string, any>} props.field attributes of the text field
 * @param {import("preact").RefObject<HTMLTextAreaElement | null>} props.area
 * @param {string} props.text
 * @param {string | null} props.place what is open. The field gets the focus when it changes
 * @param {() => void} props.onSend
 * @param {() => boolean} props.onEditLast puts the last text back into the empty field; false: there is none
 * @param {(() => void) | null} props.onCancel ends editing or replying, if that is under way
 * @param {(event: KeyboardEvent) => boolean} [props.onKey] handles a key first; true: it has
 * @param {any} [props.before] above the frame
 * @param {any} [props.above] above the text
 * @param {any} props.tools
 * @param {string} props.hint
 * @param {boolean} [props.sends] Enter sends now
 */
export function Composer({ label, field, area, text, place, onSend, onEditLast, onCancel, onKey, ...parts }) {
  const { before, above, tools, hint, sends = true } = parts;
  useHeight(area, text);
  useEffect(() => {
    if (!compact.value) area.current?.focus({ preventScroll: true }); // on a phone the keyboard would open
  }, [place]);
  const keys = (/** @type {KeyboardEvent} */ event) => {
    if (event.isComposing || onKey?.(event)) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      onSend();
    } else if (event.key === "ArrowUp" && text === "" && onEditLast()) event.preventDefault();
    else if (event.key === "Escape" && onCancel) {
      event.preventDefault();
      onCancel();
    }
  };
  return html`
    <form
      class="composer-frame"
      aria-label=${label}
      onSubmit=${(/** @type {Event} */ event) => (event.preventDefault(), onSend())}
    >
      ${before}
      <div class="composer">
        ${above}
        <textarea
          id="composer"
          dir="auto"
          ref=${area}
          rows="1"
          enterkeyhint="send"
          value=${text}
          onKeyDown=${keys}
          ...${field}
        />
        <div class="tools">${tools}</div>
      </div>
      <p class="hint">
        <span>${hint}</span>
        ${!compact.value && html`<span>${sends && html`<b>Enter</b> sends · `}<b>Shift+Enter</b> adds a line</span>`}
      </p>
    </form>
  `;
}

/** A line above the text, about what is being edited or replied to. @param {{icon: string, onCancel: () => void, children: any}} props */
export const About = ({ icon, onCancel, children }) => html`
  <p class="editing">
    <${Icon} name=${icon} size=${14} />${children}
    <button type="button" class="link" onClick=${onCancel}>Cancel</button>
  </p>
`;

/** @param {{waits?: string}} props `waits`: the reason why nothing can be sent yet */
export const Send = ({ waits = "" }) => html`
  <button type="submit" class="button primary" aria-disabled=${String(waits !== "")} title=${waits || undefined}>
    <${Icon} name="arrow-up" />Send
  </button>
`;

/** CSS can grow the field. Measuring the text instead lays out the page twice for each key. */
const GROWS = CSS.supports("field-sizing", "content");

/** Let the field grow with its text. @param {import("preact").RefObject<HTMLTextAreaElement | null>} area @param {string} text */
function useHeight(area, text) {
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

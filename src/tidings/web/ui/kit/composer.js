import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect } from "preact/hooks";
import { compact } from "../page/layout.js";
import { fenced, isCode, isMarked, newLine, openFence } from "../text/writing.js";
import { IconButton } from "./button.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { composes, touch } from "./keys.js";
import { Written } from "./markdown.js";

/**
 * The field in which people write Markdown, with a bar of tools below it. Enter sends, Shift+Enter adds a line. On a
 * phone and in a code block Enter adds a line, and Ctrl+Enter always sends.
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
 * @param {any} props.tools at the left
 * @param {any} props.action at the right: Send, or Stop
 * @param {string} props.hint
 * @param {boolean} [props.sends] Enter sends now
 */
export function Composer({ label, field, area, text, place, onSend, onEditLast, onCancel, onKey, ...parts }) {
  const { before, above, tools, action, hint, sends = true } = parts;
  const previewing = useSignal(false);
  const preview = previewing.value && isMarked(text);
  useHeight(area, text);
  useEffect(() => {
    if (!compact.value) area.current?.focus({ preventScroll: true }); // on a phone the keyboard would open
    previewing.value = false;
  }, [place]);
  useEffect(() => void (text || (previewing.value = false)), [text]);
  const send = () => {
    onSend();
    if (previewing.value && !touch.matches) focusComposer();
  };
  const keys = (/** @type {KeyboardEvent} */ event) => {
    if (composes(event) || onKey?.(event)) return;
    if (event.key === "Enter") enter(event, /** @type {HTMLTextAreaElement} */ (area.current), send);
    else if (event.key === "ArrowUp" && text === "" && onEditLast()) event.preventDefault();
    else if (event.key === "Escape" && onCancel) {
      event.preventDefault();
      onCancel();
    }
  };
  return html`
    <form
      class="composer-frame"
      aria-label=${label}
      onSubmit=${(/** @type {Event} */ event) => (event.preventDefault(), send())}
    >
      ${before}
      <div class="composer">
        ${above}
        <textarea
          id="composer"
          dir="auto"
          ref=${area}
          rows="1"
          enterkeyhint=${touch.matches ? "enter" : "send"}
          hidden=${preview}
          value=${text}
          onKeyDown=${keys}
          ...${field}
          onPaste=${(/** @type {ClipboardEvent} */ event) => (field.onPaste?.(event), paste(event))}
        />
        ${preview && html`<div class="preview" tabindex="0" role="region" aria-label="Preview"><${Written} text=${text} /></div>`}
        <div class="tools">
          ${tools}
          ${
            isMarked(text) &&
            html`<${IconButton}
              icon="eye"
              label="Preview"
              aria-pressed=${String(preview)}
              onClick=${() => (previewing.value = !preview)}
            />`
          }
          ${action}
        </div>
      </div>
      <p class="hint">
        <span>${hint}</span>
        ${!compact.value && html`<span>${keysOf(inCode(area.current, text), sends)}</span>`}
      </p>
    </form>
  `;
}

/** @param {boolean} code @param {boolean} sends */
const keysOf = (code, sends) =>
  code
    ? html`<b>Enter</b> adds a line${sends && html` · <b>Ctrl+Enter</b> sends`}`
    : html`${sends && html`<b>Enter</b> sends · `}<b>Shift+Enter</b> adds a line`;

/** @param {HTMLTextAreaElement | null} area @param {string} text */
const inCode = (area, text) => text.includes("\n") && openFence(text.slice(0, area?.selectionStart ?? 0)) !== "";

/** Send, or add a line. @param {KeyboardEvent} event @param {HTMLTextAreaElement} area @param {() => void} send */
function enter(event, area, send) {
  const { value, selectionStart, selectionEnd } = area;
  const asked = event.ctrlKey || event.metaKey;
  const adds = event.shiftKey || touch.matches || openFence(value.slice(0, selectionStart)) !== "";
  if (asked || !adds) {
    event.preventDefault();
    send();
    return;
  }
  const change = selectionStart === selectionEnd ? newLine(value, selectionStart) : null;
  if (!change) return; // the browser adds the line
  event.preventDefault();
  area.setSelectionRange(change.from, selectionStart);
  insert(area, change.insert);
  if (change.caret !== undefined) area.setSelectionRange(change.from + change.caret, change.from + change.caret);
}

/** Put pasted code into a code block. @param {ClipboardEvent} event */
function paste(event) {
  const area = /** @type {HTMLTextAreaElement} */ (event.currentTarget);
  const data = event.clipboardData;
  const text = data?.getData("text/plain") ?? "";
  const before = area.value.slice(0, area.selectionStart);
  const editor = data?.getData("vscode-editor-data") ?? "";
  if (event.defaultPrevented || openFence(before) || !(isCode(text) || (editor && text.includes("\n")))) return;
  event.preventDefault();
  const language = /"mode":"([a-z]+)"/.exec(editor)?.[1] ?? "";
  insert(area, fenced(text, language, before));
}

/** Insert a text in place of the selection, so that the browser can undo it. @param {HTMLTextAreaElement} area @param {string} text */
function insert(area, text) {
  // The command is old, and the only one whose change can be undone.
  if (document.execCommand(text ? "insertText" : "delete", false, text)) return;
  area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
  area.dispatchEvent(new InputEvent("input", { bubbles: true }));
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

import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { lettersOf } from "../state/outbox.js";
import { open, shown } from "../state/shell.js";
import { html, Icon } from "./html.js";
import { serve } from "./inside.js";
import { Pending } from "./pending.js";
import { Turn } from "./turn.js";

/** Pixels from the end that still count as the end. */
const NEAR = 8;

/**
 * The questions and answers of the open conversation. It follows the end as the answer grows, until one scrolls up.
 */
export function Log() {
  const here = shown.value;
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const content = useRef(/** @type {HTMLElement | null} */ (null));
  const away = useSignal(false);
  const seen = useRef(0);
  useFollowing(box, content, away, open.value);
  useEffect(() => serve(/** @type {HTMLElement} */ (box.current)), []);
  if (!here) return null;
  const turns = here.turns.value;
  const letters = lettersOf(here.id);
  const messages = turns.length + letters.length;
  if (!away.value) seen.current = messages;
  const fresh = messages - seen.current;
  const last = letters.length === 0 ? turns.at(-1) : null;
  return html`
    <div class="log-frame">
      <div
        class="log"
        id="log"
        ref=${box}
        role="log"
        aria-label="Conversation"
        aria-live="off"
        aria-busy=${String(here.live.value !== null)}
        tabindex="0"
      >
        <div class="column" ref=${content}>
          ${turns.map((turn) => html`<${Turn} key=${turn[0].run} ...${{ turn, conversation: here, last: turn === last }} />`)}
          ${letters.map((letter) => html`<${Pending} key=${letter.key} letter=${letter} conversation=${here} />`)}
          ${here.status.value === "missing" && turns.length + letters.length === 0 && html`<${Missing} />`}
          ${here.refused.value && html`<p class="nothing">${here.refused.value}</p>`}
        </div>
      </div>
      ${
        away.value &&
        html`
          <button type="button" class="jump" onClick=${() => ((away.value = false), toEnd(box.current))}>
            <${Icon} name="chevrons-down" />Jump to latest${fresh > 0 && ` (${fresh} new)`}
          </button>
        `
      }
    </div>
  `;
}

const Missing = () => html`
  <div class="nothing">
    <h2>There is no conversation here.</h2>
    <p>It was deleted, or the address is not whole.</p>
  </div>
`;

/** @param {HTMLElement | null} box */
export function toEnd(box) {
  if (box) box.scrollTop = box.scrollHeight;
}

/** @param {HTMLElement | null} box */
export const isAtEnd = (box) => box !== null && box.scrollHeight - box.clientHeight - box.scrollTop <= NEAR;

/**
 * @param {import("preact").RefObject<HTMLElement | null>} box
 * @param {import("preact").RefObject<HTMLElement | null>} content
 * @param {import("@preact/signals").Signal<boolean>} away whether one has scrolled up
 * @param {string | null} of what is shown: another one begins at its end
 * @param {() => boolean} [whole] whether the end is drawn
 */
export function useFollowing(box, content, away, of, whole = () => true) {
  const isWhole = useRef(whole);
  isWhole.current = whole;
  useLayoutEffect(() => {
    const frame = box.current;
    if (!frame || !content.current) return;
    away.value = false;
    let last = 0; // it is new: to ask would lay it out before its first paint
    const scrolled = () => {
      if (isAtEnd(frame) && isWhole.current()) away.value = false;
      else if (frame.scrollTop < last - 1) away.value = true;
      last = frame.scrollTop;
    };
    // Growing text, a banner, the composer, the keyboard of a phone: whatever changes a size, the end stays in view.
    const sizes = new ResizeObserver(() => {
      if (!away.value) toEnd(frame);
    });
    sizes.observe(frame);
    sizes.observe(content.current);
    frame.addEventListener("scroll", scrolled, { passive: true });
    return () => {
      sizes.disconnect();
      frame.removeEventListener("scroll", scrolled);
    };
  }, [of]);
}

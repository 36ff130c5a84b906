import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { serve } from "../answer/embedded-controls.js";
import { toEnd, useFollowing } from "../kit/following.js";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { open } from "../page/address.js";
import { useLanding } from "./landing.js";
import { questionsOf } from "./outbox-state.js";
import { Pending } from "./pending.js";
import { shown } from "./shown-state.js";
import { Turn } from "./turn.js";

/**
 * The questions and answers of the open conversation. It stays at the end as the answer grows, until the reader scrolls up.
 */
export function Log() {
  const here = shown.value;
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const content = useRef(/** @type {HTMLElement | null} */ (null));
  const away = useSignal(false);
  const seen = useRef(0);
  useFollowing(box, content, away, open.value);
  useLanding(here, box, away);
  useEffect(() => serve(/** @type {HTMLElement} */ (box.current)), []);
  if (!here) return null;
  const turns = here.turns.value;
  const waiting = questionsOf(here.id);
  const messages = turns.length + waiting.length;
  if (!away.value) seen.current = messages;
  const fresh = messages - seen.current;
  const last = waiting.length === 0 ? turns.at(-1) : null;
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
          ${waiting.map((pending) => html`<${Pending} key=${pending.key} pending=${pending} conversation=${here} />`)}
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

import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { asked, assistants } from "../session/state.js";
import { ask } from "./outbox-state.js";
import { openOrBegin } from "./shown-state.js";

/** Icons for prompts, by words in them. @type {[RegExp, string][]} */
const ICONS = [
  [/process|mining|case/i, "workflow"],
  [/resume|reconnect|deploy|restart/i, "refresh-cw"],
  [/sqlite|store|publish|durable/i, "database"],
  [/topic|stream|event|204/i, "radio"],
];

/** A conversation before its first question: the assistant, a note about it, and three prompts. */
export function Empty() {
  const assistant = assistants.value.find(({ name }) => name === asked.value) ?? assistants.value[0];
  if (!assistant) return html`<div class="empty-frame" />`;
  const title = assistant.name === "docs" ? "Ask about Tidings" : `Ask ${assistant.title}`;
  const begin = (/** @type {string} */ question) =>
    ask({ conversation: openOrBegin(), question, assistant: assistant.name });
  return html`
    <div class="empty-frame">
      <div class="empty">
        <svg class="bare-mark" width="36" height="36" viewBox="0 0 32 32" aria-hidden="true">
          <path class="bar" d="M5 9h22" />
          <path class="water" d="M5 25c2.75 0 2.75 -2.5 5.5 -2.5S13.25 25 16 25s2.75 -2.5 5.5 -2.5S24.25 25 27 25" />
        </svg>
        <h2>${title}</h2>
        ${assistant.note && html`<p>${assistant.note}</p>`}
        <ul>
          ${assistant.prompts.slice(0, 3).map(
            (prompt) => html`
              <li>
                <button type="button" onClick=${() => begin(prompt)}>
                  <${Icon} name=${ICONS.find(([words]) => words.test(prompt))?.[1] ?? "message-square"} />${prompt}
                </button>
              </li>
            `,
          )}
        </ul>
      </div>
    </div>
  `;
}

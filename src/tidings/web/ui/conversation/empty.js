import { html } from "../kit/html.js";
import { asked, assistants } from "../session/state.js";
import { Prompts } from "./prompts.js";

/** A conversation before its first question: the assistant, a note about it, and three prompts. */
export function Empty() {
  const assistant = assistants.value.find(({ name }) => name === asked.value) ?? assistants.value[0];
  if (!assistant) return html`<div class="empty-frame" />`;
  const title = assistant.name === "docs" ? "Ask about Tidings" : `Ask ${assistant.title}`;
  return html`
    <div class="empty-frame">
      <div class="empty">
        <svg class="bare-mark" width="36" height="36" viewBox="0 0 32 32" aria-hidden="true">
          <path class="bar" d="M5 9h22" />
          <path class="water" d="M5 25c2.75 0 2.75 -2.5 5.5 -2.5S13.25 25 16 25s2.75 -2.5 5.5 -2.5S24.25 25 27 25" />
        </svg>
        <h2>${title}</h2>
        ${assistant.note && html`<p>${assistant.note}</p>`}
        <${Prompts} assistant=${assistant} />
      </div>
    </div>
  `;
}

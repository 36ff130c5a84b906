import { Avatar } from "../answer/avatar.js";
import { html } from "../kit/html.js";
import { Prompts } from "./prompts.js";
import { assistant as chosen } from "./shown-state.js";

/** A conversation before its first question: the assistant, what it is, and its prompts. */
export function Empty() {
  const assistant = chosen.value;
  if (!assistant) return html`<div class="empty-frame" />`;
  const title = assistant.name === "docs" ? "Ask about Tidings" : `Ask ${assistant.title}`;
  const own = assistant.icon || assistant.picture;
  return html`
    <div class="empty-frame">
      <div class="empty">
        ${
          own
            ? html`<${Avatar} name=${assistant.name} size=${36} />`
            : html`<svg class="bare-mark" width="36" height="36" viewBox="0 0 32 32" aria-hidden="true">
                <path class="bar" d="M5 9h22" />
                <path
                  class="water"
                  d="M5 25c2.75 0 2.75 -2.5 5.5 -2.5S13.25 25 16 25s2.75 -2.5 5.5 -2.5S24.25 25 27 25"
                />
              </svg>`
        }
        <h2>${title}</h2>
        ${assistant.description && html`<p>${assistant.description}</p>`}
        <${Prompts} assistant=${assistant} />
      </div>
    </div>
  `;
}

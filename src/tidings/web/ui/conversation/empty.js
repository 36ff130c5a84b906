import { Avatar } from "../answer/avatar.js";
import { focusComposer } from "../kit/composer.js";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { dialog, signingIn } from "../page/layout.js";
import { joined, rooms, roomsListed } from "../rooms/state.js";
import { assistants, session } from "../session/state.js";
import { conversations, listed } from "./list-state.js";
import { Prompts } from "./prompts.js";
import { assistant as chosen } from "./shown-state.js";

/** A conversation before its first question: the assistant, what it is, and its prompts. */
export function Empty() {
  const assistant = chosen.value;
  // Drawn once, with all that belongs to it: ways to begin that came later would move what is read.
  const known = listed.value && (roomsListed.value || session.value?.name === null);
  if (!assistant || !known) return html`<div class="empty-frame" />`;
  const first = conversations.value.length === 0 && joined(rooms.value).length === 0;
  const modelless = assistants.value.every(({ name, model }) => name === "docs" && model === null);
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
        ${first && html`<p>Tidings is a chat for people and AI assistants, in which no message is lost.</p>`}
        ${assistant.description && html`<p>${assistant.description}${modelless && !first && html` <${Connect} link />`}</p>`}
        <${Prompts} assistant=${assistant} />
        ${first && html`<${Doors} modelless=${modelless} />`}
      </div>
    </div>
  `;
}

/** Three ways to begin. @param {{modelless: boolean}} props `modelless`: no assistant has a model */
function Doors({ modelless }) {
  const room = () => {
    dialog.value = { kind: "rooms" }; // it opens after a name was chosen
    if (session.value && !session.value.name) signingIn.value = true;
  };
  return html`
    <div class="ways" role="group" aria-label="Ways to begin">
      <button type="button" class="button" onClick=${focusComposer}>
        <${Icon} name="message-square" />Ask a question
      </button>
      <button type="button" class="button" onClick=${room}><${Icon} name="hash" />Open a room</button>
      ${modelless && html`<${Connect} />`}
    </div>
  `;
}

/** The button that tells how a server gets a model. @param {{link?: boolean}} props `link`: it stands in a text */
const Connect = ({ link = false }) => html`
  <button type="button" class=${link ? "link" : "button"} onClick=${() => (dialog.value = { kind: "model" })}>
    ${!link && html`<${Icon} name="settings-2" />`}Connect a model
  </button>
`;

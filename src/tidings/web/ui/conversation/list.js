import { html, inPage } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { go, open } from "../page/address.js";
import { serverRoot } from "../page/root.js";
import { conversations, listed } from "./list-state.js";
import { questionsOf } from "./outbox-state.js";
import { conversation } from "./state.js";

export function List() {
  if (listed.value && conversations.value.length === 0) return html`<p class="none">No conversations yet.</p>`;
  return html`
    <ul>
      ${conversations.value.map(
        ({ id, title }) => html`
          <li key=${id}>
            <a
              class="item"
              href=${`${serverRoot}c/${id}`}
              aria-current=${open.value === id ? "page" : undefined}
              onClick=${inPage(() => go(id))}
            >
              <${Icon} name="message-square" /><span>${title}</span><${Activity} id=${id} />
            </a>
          </li>
        `,
      )}
    </ul>
  `;
}

/** A dot while an answer is being written or a question waits. @param {{id: string}} props */
function Activity({ id }) {
  if (conversation(id).live.value) return html`<i class="dot" role="img" aria-label="an answer is on its way" />`;
  return questionsOf(id).length > 0
    ? html`<i class="dot hollow" role="img" aria-label="a question waits to be sent" />`
    : null;
}

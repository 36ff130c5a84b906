import { useSignal } from "@preact/signals";
import { openRequests } from "../answer/fold.js";
import { runSignal } from "../answer/state.js";
import { IconButton } from "../kit/button.js";
import { focusComposer } from "../kit/composer.js";
import { html } from "../kit/html.js";
import { Item } from "../kit/item.js";
import { Section } from "../kit/section.js";
import { go, open } from "../page/address.js";
import { dialog } from "../page/layout.js";
import { serverRoot } from "../page/root.js";
import { daysAgo } from "../text/format.js";
import { byDay } from "./days-fold.js";
import { conversations, listed, pinning, pins } from "./list-state.js";
import { questionsOf } from "./outbox-state.js";
import { conversation } from "./state.js";

/** The most conversations that are listed before "Show all". */
const MOST = 20;

/** The person's conversations in the side bar, by day. */
export function List() {
  const all = useSignal(false);
  const items = conversations.value.filter(({ id }) => !pins.value.includes(`conversations.${id}`));
  const days = byDay(items, { most: all.value ? Infinity : MOST, open: open.value, daysAgo });
  const begin = () => (go(null), focusComposer());
  return html`
    <${Section}
      name="Conversations"
      action=${html`<${IconButton} icon="plus" label="New conversation" size=${16} onClick=${begin} />`}
    >
      ${(/** @type {boolean} */ folded) => {
        const here = items.filter(({ id }) => id === open.value);
        if (folded) return here.length > 0 && html`<${Rows} items=${here} />`;
        if (listed.value && conversations.value.length === 0) return html`<p class="none">No conversations yet</p>`;
        return html`
          ${days.map(
            ([day, some]) =>
              html`<h3 key=${`h-${day}`}>${day}</h3>
                <${Rows} key=${day} items=${some} />`,
          )}
          ${
            items.length > MOST &&
            html`<button type="button" class="quiet more" onClick=${() => (all.value = !all.value)}>
              ${all.value ? "Show fewer" : `Show all (${items.length})`}
            </button>`
          }
        `;
      }}
    <//>
  `;
}

/** @param {{items: readonly import("./list-fold.js").Item[]}} props */
const Rows = ({ items }) => html`
  <ul>
    ${items.map((item) => html`<li key=${item.id}><${ConversationItem} ...${item} /></li>`)}
  </ul>
`;

/** A conversation in the side bar. @param {{id: string, title: string}} props */
export function ConversationItem({ id, title }) {
  const items = [
    pinning(`conversations.${id}`),
    { icon: "pencil", label: "Rename", run: () => void (dialog.value = { kind: "rename", id }) },
    { icon: "trash-2", label: "Delete", danger: true, run: () => void (dialog.value = { kind: "delete", id }) },
  ];
  return html`
    <${Item}
      href=${`${serverRoot}c/${id}`}
      icon="message-square"
      label=${title}
      current=${open.value === id}
      onOpen=${() => go(id)}
      items=${items}
    >
      <${Activity} id=${id} />
    <//>
  `;
}

/** A sign while an answer is being written or a question waits, of either side. @param {{id: string}} props */
function Activity({ id }) {
  const live = conversation(id).live.value;
  if (live && openRequests(runSignal(live).value).length > 0)
    return html`<b class="badge mine" role="img" aria-label="needs an answer">?</b>`;
  if (live) return html`<i class="dot" role="img" aria-label="answer in progress" />`;
  return questionsOf(id).length > 0
    ? html`<i class="dot hollow" role="img" aria-label="question not sent yet" />`
    : null;
}

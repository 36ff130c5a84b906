import { useRef } from "preact/hooks";
import { conversation } from "../state/conversation.js";
import { connection, offline, standing } from "../state/connection.js";
import { conversations, listed } from "../state/library.js";
import { lettersOf } from "../state/outbox.js";
import { myName } from "../state/session.js";
import { compact, dialog, drawer, go, open } from "../state/shell.js";
import { counted } from "../text/format.js";
import { Bell } from "./bell.js";
import { focusComposer } from "./composer.js";
import { html, Icon, IconButton, inPage, Mark } from "./html.js";
import { useOverlay } from "./overlay.js";
import { Person } from "./person.js";
import { RoomList } from "./room-list.js";
import { Settings } from "./settings.js";

export function Sidebar() {
  const close = () => (drawer.value = false);
  const root = useRef(/** @type {HTMLElement | null} */ (null));
  useOverlay(root, compact.value && drawer.value, close);
  const hidden = compact.value && !drawer.value;
  return html`
    ${compact.value && drawer.value && html`<div class="scrim" onClick=${close} />`}
    <aside
      class=${drawer.value ? "side open" : "side"}
      aria-label="Conversations and settings"
      inert=${hidden}
      ref=${root}
    >
      <div class="brand">
        <a href="/" onClick=${inPage(() => go(null))}><${Mark} size=${24} /><span class="word-mark">Tidings</span></a>
        ${compact.value ? html`<${IconButton} icon="x" label="Close the side bar" onClick=${close} />` : html`<${Bell} />`}
      </div>
      <button
        type="button"
        class="search"
        aria-keyshortcuts="Control+K"
        onClick=${() => (dialog.value = { kind: "search" })}
      >
        <${Icon} name="search" /><span>Search</span><kbd aria-hidden="true">Ctrl K</kbd>
      </button>
      <nav class="sections" aria-label="Conversations and rooms">
        <div class="section">
          <h2>Conversations</h2>
          <${IconButton} icon="plus" label="New conversation" size=${16} onClick=${() => (go(null), focusComposer())} />
        </div>
        <${List} />
        <${RoomList} />
      </nav>
      <div class="foot">
        <${Connection} />
        <div class="me">
          <${Person} name=${myName.value} size=${24} me />
          <span class="name">${myName.value}</span>
          <${Settings} />
        </div>
      </div>
    </aside>
  `;
}

function List() {
  if (listed.value && conversations.value.length === 0) return html`<p class="none">None yet.</p>`;
  return html`
    <ul>
      ${conversations.value.map(
        ({ id, title }) => html`
          <li key=${id}>
            <a
              class="item"
              href=${`/c/${id}`}
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

/** A dot while an answer is on its way. @param {{id: string}} props */
function Activity({ id }) {
  if (conversation(id).live.value) return html`<i class="dot" role="img" aria-label="an answer is on its way" />`;
  return lettersOf(id).length > 0
    ? html`<i class="dot hollow" role="img" aria-label="a question waits to be sent" />`
    : null;
}

/** What a person wants to know of it; the rest is its tooltip. */
function Connection() {
  const state = standing.value;
  const { topics, tabs, by } = connection.value;
  const shared = tabs > 1 ? counted(tabs, "tab") : "";
  if (offline.value) return html`<p class="connection lost"><i class="dot" />Offline</p>`;
  if (state === "lost") {
    return html`<p class="connection lost amber">
      <i class="dot" />Reconnecting${shared && html`<span>· ${shared}</span>`}
    </p>`;
  }
  if (state === "connecting") return html`<p class="connection"><i class="dot hollow" />Connecting</p>`;
  const alone = by === "self" ? ". This browser lets no tabs share one here; over https it may." : "";
  return html`<p class="connection" title=${`${counted(topics, "topic")} on 1 connection${alone}`}>
    <i class="dot" />Live<span>· 1 connection${by === "self" ? " of this tab alone" : shared && `, ${shared}`}</span>
  </p>`;
}

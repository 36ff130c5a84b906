import { useEffect, useRef } from "preact/hooks";
import { connection, offline, connectionStatus } from "../connection/state.js";
import { IconButton } from "../kit/button.js";
import { html, inPage } from "../kit/html.js";
import { Icon, Mark } from "../kit/icon.js";
import { useOverlay } from "../kit/overlay.js";
import { Bell } from "../notifications/bell.js";
import { go } from "../page/address.js";
import { compact, dialog, drawer } from "../page/layout.js";
import { serverRoot } from "../page/root.js";
import { Person } from "../people/person.js";
import { myName } from "../session/state.js";
import { counted } from "../text/format.js";
import { Sections } from "./sections.js";
import { Settings } from "./settings.js";

/** The side bar: rooms, conversations and settings. On a phone it is a drawer. @param {{behind: boolean}} props `behind`: another overlay covers it */
export function Sidebar({ behind }) {
  const close = () => (drawer.value = false);
  const root = useRef(/** @type {HTMLElement | null} */ (null));
  useOverlay(root, compact.value && drawer.value, close);
  const hidden = behind || (compact.value && !drawer.value);
  // A page that was made wide and narrow again must not find the drawer open.
  useEffect(() => void (compact.value || close()), [compact.value]);
  return html`
    ${compact.value && drawer.value && html`<div class="scrim" onClick=${close} />`}
    <aside
      class=${drawer.value ? "side open" : "side"}
      aria-label="Conversations and settings"
      inert=${hidden}
      ref=${root}
    >
      <div class="brand">
        <a href=${serverRoot} onClick=${inPage(() => go(null))}
          ><${Mark} size=${24} /><span class="word-mark">Tidings</span></a
        >
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
      <${Sections} />
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

/** The state of the connection. Details are in its tooltip. */
function Connection() {
  const state = connectionStatus.value;
  const { topics, tabs, by } = connection.value;
  const shared = tabs > 1 ? counted(tabs, "tab") : "";
  if (offline.value) return html`<p class="connection lost"><i class="dot" />Offline</p>`;
  if (state === "lost") {
    return html`<p class="connection lost amber">
      <i class="dot" />Reconnecting${shared && html`<span>· ${shared}</span>`}
    </p>`;
  }
  if (state === "connecting") return html`<p class="connection"><i class="dot hollow" />Connecting</p>`;
  const alone = by === "self" ? ". Over https, the tabs of a browser share one connection." : "";
  return html`<p class="connection" title=${`${counted(topics, "topic")} on 1 connection${alone}`}>
    <i class="dot" />Live<span>· 1 connection${by === "self" ? " of this tab" : shared && `, ${shared}`}</span>
  </p>`;
}

import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { centreOpen, quietUntil, unread } from "./state.js";

/** A count of at most two digits. @param {number} n */
export const countOf = (n) => (n > 99 ? "99+" : String(n));

/** The button that opens the notification centre and shows the number of unread notifications. @param {{size?: number}} props */
export function Bell({ size = 18 }) {
  const n = unread.value;
  const label = n > 0 ? `Notifications, ${countOf(n)} unread` : "Notifications";
  return html`
    <button
      type="button"
      class="icon-button bell"
      aria-label=${label}
      title=${label}
      aria-expanded=${String(centreOpen.value)}
      aria-controls="centre"
      onClick=${() => (centreOpen.value = !centreOpen.value)}
    >
      <${Icon} name=${quietUntil.value === null ? "bell" : "bell-off"} size=${size} />
      ${n > 0 && html`<span class="badge mine" aria-hidden="true">${countOf(n)}</span>`}
    </button>
  `;
}

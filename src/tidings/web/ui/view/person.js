import { standing } from "../state/connection.js";
import { initials } from "../text/format.js";
import { session } from "../state/session.js";
import { html, Icon } from "./html.js";

/**
 * A person: round, where a machine is square. The dot is filled when they are known to be here.
 * @param {{name: string, size?: number, me?: boolean}} props
 */
export function Person({ name, size = 28, me = false }) {
  const here = standing.value === "live" || standing.value === "back";
  const nameless = me && !session.value?.name;
  return html`
    <span class="person" data-size=${size} aria-hidden="true">
      ${nameless ? html`<${Icon} name="user" size=${14} />` : initials(name)}
      ${me && html`<span class=${here ? "presence" : "presence away"} />`}
    </span>
  `;
}

import { connectionStatus } from "../connection/state.js";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { session } from "../session/state.js";
import { initials } from "../text/format.js";
import { isHere } from "./state.js";

/** The number of colour pairs for avatars. */
const HUES = 5;

/** The colour of a name, which is the same everywhere. @param {string} name */
const hueOf = (name) => [...name].reduce((sum, letter) => (sum * 7 + letter.charCodeAt(0)) % 9973, 6) % HUES;

/**
 * A person's avatar, which is round; an assistant's is square. A filled dot means present, a hollow one away or unknown.
 * @param {{name: string, size?: number, me?: boolean, dot?: boolean}} props
 */
export function Person({ name, size = 28, me = false, dot = true }) {
  const connected = connectionStatus.value === "live" || connectionStatus.value === "back";
  const here = me ? connected : isHere(name);
  const nameless = me && !session.value?.name;
  return html`
    <span class="person" data-size=${size} data-hue=${hueOf(name)} aria-hidden="true">
      ${nameless ? html`<${Icon} name="user" size=${14} />` : initials(name)}
      ${dot && html`<span class=${here ? "presence" : "presence away"} />`}
    </span>
  `;
}

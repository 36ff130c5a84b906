import { connectionStatus } from "../connection/state.js";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { session } from "../session/state.js";
import { initials } from "../text/format.js";
import { isHere } from "./state.js";

/** Pairs of colours for avatars. */
const HUES = 5;

/** The same name has the same colour everywhere. @param {string} name */
const hueOf = (name) => [...name].reduce((sum, letter) => (sum * 7 + letter.charCodeAt(0)) % 9973, 6) % HUES;

/**
 * A person: round, where a machine is square. The dot is filled when they are known to be here.
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

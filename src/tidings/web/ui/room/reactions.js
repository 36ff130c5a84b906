import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { Menu } from "../kit/menu.js";
import { dialog } from "../page/layout.js";
import { session } from "../session/state.js";
import { react } from "./actions-state.js";

/** Reactions that the menu offers. Others are picked in a dialog, and shown as they were published. */
const KNOWN = [
  { emoji: "\u{1F44D}", icon: "thumbs-up", label: "Thumbs up" },
  { emoji: "\u{1F44E}", icon: "thumbs-down", label: "Thumbs down" },
  { emoji: "\u{1F440}", icon: "eye", label: "Seen" },
  { emoji: "\u2705", icon: "check", label: "Done" },
  { emoji: "\u{1F642}", icon: "smile", label: "Smile" },
];

/**
 * The reactions to a message. A click adds the person's own, or removes it.
 * @param {{room: string, message: string, reactions: import("./fold.js").Reactions, may: boolean}} props
 */
export function Reactions({ room, message, reactions, may }) {
  const me = session.value?.name ?? "";
  const all = Object.entries(reactions);
  if (all.length === 0) return null;
  return html`
    <ul class="reactions" aria-label="Reactions">
      ${all.map(([emoji, names]) => {
        const { icon, label } = KNOWN.find((one) => one.emoji === emoji) ?? { icon: "", label: emoji };
        const mine = names.includes(me);
        return html`
          <li key=${emoji}>
            <button
              type="button"
              class="reaction"
              aria-pressed=${String(mine)}
              aria-label=${`${label}, ${names.length}`}
              title=${`${label}: ${names.join(", ")}`}
              disabled=${!may}
              onClick=${() => react(room, message, emoji, !mine)}
            >
              ${icon ? html`<${Icon} name=${icon} />` : html`<span>${emoji}</span>`}${names.length}
            </button>
          </li>
        `;
      })}
    </ul>
  `;
}

/** @param {{room: string, message: string, reactions: import("./fold.js").Reactions}} props */
export function React({ room, message, reactions }) {
  const me = session.value?.name ?? "";
  const items = KNOWN.map(({ emoji, icon, label }) => ({
    icon,
    label,
    run: () => void react(room, message, emoji, !reactions[emoji]?.includes(me)),
  }));
  const pick = (/** @type {string} */ emoji) => void react(room, message, emoji, true);
  items.push({ icon: "search", label: "Other emoji", run: () => void (dialog.value = { kind: "emoji", pick }) });
  return html`<${Menu} icon="smile-plus" label="React" size=${16} items=${items} />`;
}

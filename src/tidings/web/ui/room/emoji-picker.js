import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Modal, close } from "../kit/dialog.js";
import { html, valueOf } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { composes } from "../kit/keys.js";
import { GROUPS, labelOf, search } from "./emoji-fold.js";
import { emoji, loadEmoji, useEmoji, usedEmoji } from "./emoji-state.js";

/** The most emoji that a search shows. */
const MOST = 120;

/** The place of the emoji that were used, before the groups. */
const USED = -1;

/**
 * The dialog that picks an emoji. The focus stays in its field: arrow keys move among the emoji, and Enter takes the
 * marked one.
 * @param {{pick: (emoji: string) => void}} props
 */
export function EmojiPicker({ pick }) {
  const sought = useSignal("");
  const group = useSignal(usedEmoji.peek().length > 0 ? USED : 0);
  const at = useSignal(0);
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => void loadEmoji(), []);
  const shown = shownOf(sought.value, group.value);
  const active = Math.min(at.value, shown.length - 1);
  const take = (/** @type {string} */ one) => (close(), useEmoji(one), pick(one));
  const move = (/** @type {number} */ to) => {
    at.value = Math.max(0, Math.min(to, shown.length - 1));
    document.getElementById(`emoji-${at.value}`)?.scrollIntoView({ block: "nearest" });
  };
  const keys = (/** @type {KeyboardEvent} */ event) => {
    if (composes(event) || shown.length === 0) return;
    const columns = columnsOf(list.current);
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
    if (step) move(active + step);
    else if (event.key === "Enter") take(shown[active].emoji);
    else return;
    event.preventDefault();
  };
  const choose = (/** @type {number} */ which) => () => ((group.value = which), (sought.value = ""), (at.value = 0));
  const groups = [...(usedEmoji.value.length > 0 ? ["Used"] : []), ...GROUPS.map(([name]) => name)];
  const first = usedEmoji.value.length > 0 ? USED : 0;
  return html`
    <${Modal} title="Emoji" wide bare>
      <div class="emoji-picker">
        <label class="sought">
          <${Icon} name="search" />
          <input
            type="text"
            role="combobox"
            aria-label="Search emoji"
            aria-expanded="true"
            aria-controls="emoji-found"
            aria-autocomplete="list"
            aria-activedescendant=${shown.length > 0 ? `emoji-${active}` : undefined}
            placeholder="Search emoji"
            autocomplete="off"
            spellcheck="false"
            data-first
            value=${sought.value}
            onInput=${(/** @type {Event} */ event) => ((sought.value = valueOf(event)), (at.value = 0))}
            onKeyDown=${keys}
          />
          <kbd>Esc</kbd>
        </label>
        <div class="groups" role="group" aria-label="Groups">
          ${groups.map(
            (name, n) => html`
              <button
                key=${name}
                type="button"
                class="quiet"
                aria-pressed=${String(!sought.value && group.value === first + n)}
                onClick=${choose(first + n)}
              >
                ${name}
              </button>
            `,
          )}
        </div>
        <ul id="emoji-found" role="listbox" aria-label="Emoji" ref=${list}>
          ${shown.map(
            (one, n) => html`
              <li
                key=${one.emoji}
                id=${`emoji-${n}`}
                role="option"
                aria-label=${labelOf(one)}
                aria-selected=${String(n === active)}
                onClick=${() => take(one.emoji)}
                onPointerMove=${() => (at.value = n)}
              >
                ${one.emoji}
              </li>
            `,
          )}
        </ul>
        <p class="name">
          ${shown[active] ? shown[active].names.map((name) => `:${name}:`).join(" ") : emoji.value ? "No emoji matches." : "Loading emoji"}
        </p>
      </div>
    <//>
  `;
}

/** The emoji that a search, or else a group, shows. @param {string} sought @param {number} group */
function shownOf(sought, group) {
  const all = emoji.value ?? [];
  if (sought.trim()) return search(all, sought, MOST);
  if (group !== USED) return all.filter((one) => one.group === group);
  return usedEmoji.value.map((text) => all.find((one) => one.emoji === text) ?? { emoji: text, names: [text], group });
}

/** The number of emoji in a row. @param {HTMLElement | null} list */
function columnsOf(list) {
  const items = /** @type {HTMLElement[]} */ ([...(list?.children ?? [])]);
  const second = items.findIndex((item) => item.offsetTop !== items[0].offsetTop);
  return second > 0 ? second : 1;
}

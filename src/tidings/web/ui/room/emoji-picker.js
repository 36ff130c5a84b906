import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { SearchField, useCombobox } from "../kit/combobox.js";
import { Modal, close } from "../kit/dialog.js";
import { html } from "../kit/html.js";
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
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => void loadEmoji(), []);
  const shown = shownOf(sought.value, group.value);
  const take = (/** @type {string} */ one) => (close(), useEmoji(one), pick(one));
  const combobox = useCombobox({
    id: "emoji-found",
    count: shown.length,
    onTake: (n) => take(shown[n].emoji),
    columns: () => columnsOf(list.current),
  });
  const choose = (/** @type {number} */ which) => () => (
    (group.value = which),
    (sought.value = ""),
    combobox.restart()
  );
  const groups = [...(usedEmoji.value.length > 0 ? ["Used"] : []), ...GROUPS.map(([name]) => name)];
  const first = usedEmoji.value.length > 0 ? USED : 0;
  return html`
    <${Modal} title="Emoji" wide bare>
      <div class="emoji-picker">
        <${SearchField} combobox=${combobox} label="Search emoji" text=${sought} />
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
        <ul ...${combobox.list} aria-label="Emoji" ref=${list}>
          ${shown.map(
            (one, n) => html`
              <li key=${one.emoji} aria-label=${labelOf(one)} ...${combobox.option(n)}>${one.emoji}</li>
            `,
          )}
        </ul>
        <p class="name">
          ${shown[combobox.active] ? shown[combobox.active].names.map((name) => `:${name}:`).join(" ") : emoji.value ? "No emoji matches." : "Loading emoji"}
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

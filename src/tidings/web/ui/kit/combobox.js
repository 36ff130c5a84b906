import { useSignal } from "@preact/signals";
import { html, valueOf } from "./html.js";
import { Icon } from "./icon.js";
import { composes } from "./keys.js";

/** @typedef {ReturnType<typeof useCombobox>} Combobox */

/**
 * A field with a list of options. The focus stays in the field: arrow keys move the mark among the options, and Enter
 * takes the marked one. Each element of the two gets its attributes from here.
 * @param {object} about
 * @param {string} about.id of the list
 * @param {number} about.count of the options
 * @param {(n: number) => unknown} about.onTake
 * @param {() => number} [about.columns] the options are in rows of so many, and all four arrow keys move the mark.
 *   Otherwise the options are in one column, and the mark goes from its end to its start
 */
export function useCombobox({ id, count, onTake, columns }) {
  const at = useSignal(0);
  const active = Math.min(at.value, count - 1);
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (composes(event) || count === 0) return;
    const to = columns ? inRows(event.key, active, count, columns()) : inColumn(event.key, active, count);
    if (to !== null) {
      at.value = to;
      document.getElementById(`${id}-${to}`)?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter") onTake(active);
    else return;
    event.preventDefault();
  };
  return {
    active,
    /** Mark the first option, since the options are others now. */
    restart: () => void (at.value = 0),
    field: {
      role: "combobox",
      "aria-expanded": String(count > 0),
      "aria-controls": id,
      "aria-autocomplete": "list",
      "aria-activedescendant": count > 0 ? `${id}-${active}` : undefined,
      autocomplete: "off",
      spellcheck: false,
      "data-first": true,
      onKeyDown,
    },
    list: { id, role: "listbox" },
    option: (/** @type {number} */ n) => ({
      id: `${id}-${n}`,
      role: "option",
      "aria-selected": String(n === active),
      onPointerMove: () => void (at.value = n),
      onMouseDown: (/** @type {Event} */ event) => event.preventDefault(), // the focus stays in the field
      onClick: () => onTake(n),
    }),
  };
}

/** @param {string} key @param {number} at @param {number} count @returns {number | null} null: the key moves nothing */
function inColumn(key, at, count) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[key];
  return step ? (at + step + count) % count : null;
}

/** @param {string} key @param {number} at @param {number} count @param {number} columns @returns {number | null} */
function inRows(key, at, count, columns) {
  const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[key];
  return step ? Math.max(0, Math.min(at + step, count - 1)) : null;
}

/**
 * The field of a dialog that searches.
 * @param {{combobox: Combobox, label: string, text: import("@preact/signals").Signal<string>}} props
 */
export const SearchField = ({ combobox, label, text }) => html`
  <label class="sought">
    <${Icon} name="search" />
    <input
      type="text"
      ...${combobox.field}
      value=${text.value}
      aria-label=${label}
      placeholder=${label}
      onInput=${(/** @type {Event} */ event) => ((text.value = valueOf(event)), combobox.restart())}
    />
    <kbd>Esc</kbd>
  </label>
`;

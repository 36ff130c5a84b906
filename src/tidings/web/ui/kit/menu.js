import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { IconButton } from "./button.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";

/** Pixels between a button and its menu, and the width of a menu that stands apart. */
const GAP = 4;
const WIDTH = 208;

/** @typedef {{icon?: string, label: string, run: () => void, danger?: boolean, checked?: boolean}} Item `checked`: it is a choice */

/**
 * A button that opens a menu below it, or above it with `up` and near the bottom of the window. Arrow keys move between
 * the items; Esc closes the menu and returns the focus.
 * @param {{icon: string, label: string, size?: number, items?: Item[], up?: boolean, apart?: boolean, children?: any}} props the
 *   menu holds `items`, or `children`; `apart`: the menu may reach out of a box that scrolls
 */
export function Menu({ icon, label, size, items = [], up = false, apart = false, children }) {
  const open = useSignal(false);
  const low = useSignal(up);
  /** Place of the menu in the window. @type {import("@preact/signals").Signal<Record<string, string> | undefined>} */
  const place = useSignal(/** @type {Record<string, string> | undefined} */ (undefined));
  const root = useRef(/** @type {HTMLElement | null} */ (null));
  const close = () => {
    open.value = false;
    /** @type {HTMLElement | null} */ (root.current?.querySelector("button"))?.focus();
  };
  // A layout effect, because an effect after the paint could focus a menu that Esc has closed meanwhile.
  useLayoutEffect(() => {
    if (!open.value) return;
    const outside = (/** @type {Event} */ event) => {
      if (!root.current?.contains(/** @type {Node} */ (event.target))) open.value = false;
    };
    document.addEventListener("pointerdown", outside);
    document.addEventListener("focusin", outside);
    const scrolled = () => void (open.value = false);
    if (apart) document.addEventListener("scroll", scrolled, { capture: true, passive: true });
    // In a group of radio buttons focus the chosen one: focusing another would choose it.
    const first = root.current?.querySelector(".menu :checked") ?? root.current?.querySelector(".menu button");
    /** @type {HTMLElement | null} */ (first)?.focus();
    return () => {
      document.removeEventListener("pointerdown", outside);
      document.removeEventListener("focusin", outside);
      document.removeEventListener("scroll", scrolled, { capture: true });
    };
  }, [open.value]);

  return html`
    <div
      class="menu-root"
      ref=${root}
      onKeyDown=${(/** @type {KeyboardEvent} */ event) => open.value && walk(event, close)}
    >
      <${IconButton}
        icon=${icon}
        label=${label}
        aria-haspopup=${children ? "dialog" : "menu"}
        aria-expanded=${String(open.value)}
        size=${size}
        onClick=${(/** @type {MouseEvent} */ event) => {
          const { top, bottom, right } = /** @type {Element} */ (event.currentTarget).getBoundingClientRect();
          low.value = up || bottom > innerHeight * 0.6;
          const [edge, distance] = low.value ? ["bottom", innerHeight - top] : ["top", bottom];
          if (apart) place.value = { left: `${Math.max(GAP, right - WIDTH)}px`, [edge]: `${distance + GAP}px` };
          open.value = !open.value;
        }}
      />
      ${
        open.value &&
        children &&
        html`<div class=${low.value ? "menu panel up" : "menu panel"} role="dialog" aria-label=${label}>
          ${children}
        </div>`
      }
      ${
        open.value &&
        !children &&
        html`
          <div
            class=${["menu", low.value && "up", apart && "apart"].filter(Boolean).join(" ")}
            style=${place.value}
            role="menu"
            aria-label=${label}
          >
            ${items.map(
              (item) => html`
                <button
                  type="button"
                  role=${item.checked === undefined ? "menuitem" : "menuitemradio"}
                  aria-checked=${item.checked === undefined ? undefined : String(item.checked)}
                  class=${item.danger ? "danger" : ""}
                  onClick=${() => (close(), item.run())}
                >
                  ${item.icon && html`<${Icon} name=${item.icon} />`}${item.label}
                  ${item.checked && html`<${Icon} name="check" />`}
                </button>
              `,
            )}
          </div>
        `
      }
    </div>
  `;
}

/** @param {KeyboardEvent} event @param {() => void} close */
function walk(event, close) {
  if (event.key === "Escape") {
    event.stopPropagation();
    close();
    return;
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const list = /** @type {HTMLElement} */ (event.currentTarget).querySelector('[role="menu"]');
  if (!step || !list) return;
  event.preventDefault();
  const items = /** @type {HTMLElement[]} */ ([...list.children]);
  const at = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  items[(at + step + items.length) % items.length].focus();
}

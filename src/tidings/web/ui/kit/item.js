import { useSignal } from "@preact/signals";
import { compact } from "../page/layout.js";
import { html, inPage } from "./html.js";
import { Icon } from "./icon.js";
import { Menu } from "./menu.js";

/**
 * An item of the side bar: a link with a menu. The menu's button comes with the pointer or the focus; a right click and
 * Shift+F10 open the menu, too.
 * @param {object} props
 * @param {string} props.href
 * @param {string} props.icon
 * @param {string} props.label
 * @param {boolean} props.current it is what the page shows
 * @param {boolean} [props.unread]
 * @param {() => void} props.onOpen
 * @param {import("./menu.js").Item[]} props.items of the menu
 * @param {any} [props.children] signs behind the label
 */
export function Item({ href, icon, label, current, unread = false, onOpen, items, children }) {
  const near = useSignal(false);
  const come = () => void (near.value = true);
  const leave = (/** @type {FocusEvent | PointerEvent} */ { type, currentTarget, relatedTarget }) => {
    const row = /** @type {HTMLElement} */ (currentTarget);
    const at = type === "focusout" ? /** @type {Node | null} */ (relatedTarget) : document.activeElement;
    if (!row.contains(at)) near.value = false;
  };
  const open = (/** @type {MouseEvent} */ event) => {
    const button = /** @type {HTMLElement | null} */ (
      /** @type {Element} */ (event.currentTarget).querySelector(".menu-root > button")
    );
    if (!button) return;
    event.preventDefault();
    if (button.getAttribute("aria-expanded") !== "true") button.click();
  };
  const shown = items.length > 0 && (near.value || compact.value);
  return html`
    <div
      class=${unread ? "item unread" : "item"}
      onPointerEnter=${come}
      onPointerLeave=${leave}
      onFocusIn=${come}
      onFocusOut=${leave}
      onContextMenu=${open}
    >
      <a href=${href} aria-current=${current ? "page" : undefined} title=${label} onClick=${inPage(onOpen)}>
        <${Icon} name=${icon} /><span dir="auto">${label}</span>${children}
      </a>
      ${shown && html`<${Menu} icon="ellipsis" label=${`Actions for ${label}`} size=${16} items=${items} apart />`}
    </div>
  `;
}

import { useLayoutEffect, useRef } from "preact/hooks";
import { IconButton } from "../kit/button.js";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { brief } from "../text/format.js";
import { dismiss, hold, toasts } from "./state.js";

/** Pixels between the last toast and the composer. */
const GAP = 8;

/** The toasts, at the top right, newest first. They stay while the pointer or the focus is on them. */
export function Toasts() {
  const root = useRef(/** @type {HTMLElement | null} */ (null));
  const inside = (/** @type {FocusEvent} */ event) =>
    root.current?.contains(/** @type {Node | null} */ (event.relatedTarget));
  useLayoutEffect(() => clear(root.current));
  return html`
    <div
      class="toasts"
      role="status"
      aria-label="New notifications"
      ref=${root}
      onPointerEnter=${() => hold(true)}
      onPointerLeave=${() => hold(root.current?.contains(document.activeElement) ?? false)}
      onFocusIn=${() => hold(true)}
      onFocusOut=${(/** @type {FocusEvent} */ event) => inside(event) || hold(false)}
    >
      ${toasts.value.map((toast) => html`<${One} key=${toast.key} ...${toast} name=${toast.key} />`)}
    </div>
  `;
}

/** @param {import("./state.js").Toast & {name: string, leaving?: boolean}} props */
function One({ name, icon, tone = "", title, text, actions = [], leaving = false }) {
  const close = () => {
    hold(false); // the button under the pointer disappears with the toast
    dismiss(name);
  };
  return html`
    <section class=${leaving ? "toast leaving" : "toast"} aria-label=${title}>
      <${Icon} name=${icon} class=${tone} />
      <div>
        <p><b>${title}</b></p>
        ${text && html`<p class="text">${brief(text)}</p>`}
        ${
          actions.length > 0 &&
          html`<p class="row">
            ${actions.map(
              ({ label, quiet, run }) =>
                html`<button type="button" class=${quiet ? "quiet" : "button"} onClick=${() => (close(), run())}>
                  ${label}
                </button>`,
            )}
          </p>`
        }
      </div>
      <${IconButton} icon="x" label="Close" size=${16} onClick=${close} />
    </section>
  `;
}

/** Hide toasts that would cover the composer on a low screen. @param {HTMLElement | null} root */
function clear(root) {
  const composer = document.querySelector(".composer-frame");
  const end = (composer?.getBoundingClientRect().top ?? innerHeight) - GAP;
  for (const one of /** @type {HTMLElement[]} */ ([...(root?.children ?? [])])) {
    one.hidden = false;
    one.hidden = one.offsetTop + one.offsetHeight + (root?.offsetTop ?? 0) > end;
  }
}

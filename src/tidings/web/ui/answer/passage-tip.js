import { signal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { html } from "../kit/html.js";
import { placeOf, plain } from "./source-fold.js";
import { runSignal } from "./state.js";

/** @type {import("@preact/signals").Signal<{at: DOMRect, source: import("./fold.js").Source} | null>} */
const tip = signal(null);

/** Show the passage behind a citation. @param {Element} cite @param {string} id @param {number} n */
export function showTip(cite, id, n) {
  const source = runSignal(id).value.sources.find((source) => source.n === n);
  tip.value = source ? { at: cite.getBoundingClientRect(), source } : null;
}

export function hideTip() {
  tip.value = null;
}

/** The passage, above its citation, or below it if there is no space above. */
export function Tip() {
  const root = useRef(/** @type {HTMLElement | null} */ (null));
  useLayoutEffect(() => {
    if (!root.current || !tip.value) return;
    const { at } = tip.value;
    const { width, height } = root.current.getBoundingClientRect();
    const left = Math.max(8, Math.min(at.left + at.width / 2 - width / 2, innerWidth - width - 8));
    const top = at.top - height - 8 > 8 ? at.top - height - 8 : at.bottom + 8;
    root.current.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  });
  if (!tip.value) return null;
  const { source } = tip.value;
  return html`
    <div class="tip" role="tooltip" ref=${root}>
      <b>${source.title}</b>
      <p class="place">${placeOf(source)}</p>
      <p>${plain(source.passage)}</p>
    </div>
  `;
}

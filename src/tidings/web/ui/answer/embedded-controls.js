import { copy } from "../kit/copy.js";
import { chosenRun, compact, openAside } from "../page/layout.js";
import { hideTip, showTip } from "./passage-tip.js";

/**
 * Handle the buttons inside rendered text (copy, wrap, citations), which no component made.
 * @param {HTMLElement} log
 */
export function serve(log) {
  const over = (/** @type {Event} */ event) => {
    const cite = closest(event, ".cite");
    if (cite) showTip(cite, runOf(cite), Number(cite.dataset.n));
    else hideTip();
  };
  log.addEventListener("click", clicked);
  log.addEventListener("pointerover", over);
  log.addEventListener("focusin", over);
  log.addEventListener("pointerleave", hideTip);
  log.addEventListener("focusout", hideTip);
  log.addEventListener("scroll", hideTip, { passive: true });
}

/** @param {Event} event @param {string} selector @returns {HTMLElement | null} */
const closest = (event, selector) => /** @type {Element} */ (event.target).closest(selector);

/** @param {Element} inside @returns {string} the run of the answer around an element */
const runOf = (inside) => /** @type {HTMLElement | null} */ (inside.closest("[data-run]"))?.dataset.run ?? "";

/** @param {Event} event */
function clicked(event) {
  const button = closest(event, "[data-do], .cite, .source-chip");
  if (!button) return;
  const code = button.closest(".code");
  if (button.dataset.do === "wrap") button.setAttribute("aria-pressed", String(!!code?.classList.toggle("wrap")));
  else if (button.dataset.do === "copy") void copy(code?.querySelector("code")?.textContent ?? "", button);
  else showSource(runOf(button), Number(button.dataset.n));
}

/** @param {string} run @param {number} n */
export function showSource(run, n) {
  hideTip();
  chosenRun.value = run;
  openAside(true);
  // After the frame that draws the aside.
  requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      const source = document.getElementById(`source-${n}`);
      source?.scrollIntoView({ block: "nearest" });
      source?.focus({ preventScroll: !compact.value });
    }),
  );
}

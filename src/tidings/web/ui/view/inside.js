import { chosenRun, compact, openAside } from "../state/shell.js";
import { hideTip, showTip } from "./tip.js";

/**
 * Serve the buttons that texts bring along (copy, wrap, cites), which no component made.
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

/** @param {Element} inside @returns {string} the run a piece of an answer belongs to */
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
  // After the aside is drawn.
  requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      const source = document.getElementById(`source-${n}`);
      source?.scrollIntoView({ block: "nearest" });
      source?.focus({ preventScroll: !compact.value });
    }),
  );
}

/**
 * Copy, and say so on the button for two seconds. On plain http there is no clipboard: the text is selected instead.
 * @param {string} text
 * @param {HTMLElement} button whose last span is its word
 */
export async function copy(text, button) {
  const word = button.querySelector("span");
  const before = word?.textContent ?? "";
  if (before === "Copied") return;
  const done = await toClipboard(text);
  if (word) word.textContent = done ? "Copied" : "Not copied";
  button.dataset.copied = String(done);
  setTimeout(() => {
    if (word) word.textContent = before;
    delete button.dataset.copied;
  }, 2000);
}

/** @param {string} text @returns {Promise<boolean>} */
export async function toClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // navigator.clipboard is missing on plain http; the old command still works there.
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "visually-hidden";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

/** @param {string} text */
export const copying = (text) => (/** @type {MouseEvent} */ event) =>
  void copy(text, /** @type {HTMLElement} */ (event.currentTarget));

import { html } from "htm/preact";

export { html };

/** What a field holds. @param {Event} event of the field */
export const valueOf = (event) => /** @type {HTMLInputElement} */ (event.currentTarget).value;

/** A plain click on a link stays in the page; with a modifier it is the browser's. @param {() => void} act */
export const inPage = (act) => (/** @type {MouseEvent} */ event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  act();
};

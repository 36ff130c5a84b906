import { html } from "htm/preact";

export { html };

/** The value of a field. @param {Event} event of the field */
export const valueOf = (event) => /** @type {HTMLInputElement} */ (event.currentTarget).value;

/** Handle a plain click on a link in the page. The browser handles clicks with a modifier. @param {() => void} act */
export const inPage = (act) => (/** @type {MouseEvent} */ event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  act();
};

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

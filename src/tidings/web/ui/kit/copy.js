/**
 * Copy a text, and say so on the button for two seconds.
 * @param {string} text
 * @param {HTMLElement} button its word is in a span
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
    // On plain http there is no navigator.clipboard, but the old command works.
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

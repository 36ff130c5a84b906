/** The event of the window that says that a file of the page cannot be had: a deploy may have taken it away. */
export const MISSING = "tidings.missing";

/**
 * Load what a text needs, when it is met.
 * @template T
 * @param {() => Promise<T>} load
 * @returns {Promise<T | null>} null: it cannot be had now
 */
export async function met(load) {
  try {
    return await load();
  } catch {
    dispatchEvent(new Event(MISSING));
    return null;
  }
}

/** Load a style sheet. @param {URL} url @returns {Promise<unknown>} resolved when it is in force */
export const loadSheet = (url) =>
  new Promise((resolve, reject) => {
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = url.pathname;
    style.onload = resolve;
    style.onerror = reject;
    document.head.append(style);
  });

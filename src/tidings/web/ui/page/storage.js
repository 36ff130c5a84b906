/** What this device keeps for this origin. Where nothing can be kept (private windows), it is held for the visit. */

/** @type {Map<string, string>} */
const held = new Map();

/**
 * @template T
 * @param {string} name
 * @param {T} otherwise when nothing is kept, or it cannot be read
 * @returns {T}
 */
export function recall(name, otherwise) {
  try {
    const text = localStorage.getItem(`tidings.${name}`) ?? held.get(name);
    return text ? JSON.parse(text) : otherwise;
  } catch {
    return otherwise;
  }
}

/** @param {string} name @param {unknown} value undefined forgets it */
export function keep(name, value) {
  try {
    if (value === undefined) localStorage.removeItem(`tidings.${name}`);
    else localStorage.setItem(`tidings.${name}`, JSON.stringify(value));
  } catch {
    held.set(name, value === undefined ? "" : JSON.stringify(value));
  }
}

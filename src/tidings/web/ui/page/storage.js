/** Values that this device keeps for this origin. In a private window they last as long as the page. */

/** @type {Map<string, string>} */
const held = new Map();

/**
 * @template T
 * @param {string} name
 * @param {T} otherwise the value when none is stored, or when the stored one cannot be read
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

/** @param {string} name @param {unknown} value undefined removes it */
export function keep(name, value) {
  try {
    if (value === undefined) localStorage.removeItem(`tidings.${name}`);
    else localStorage.setItem(`tidings.${name}`, JSON.stringify(value));
  } catch {
    held.set(name, value === undefined ? "" : JSON.stringify(value));
  }
}

/** Values as texts. Pure. */

/** A value as JSON; "" for a value that nests too deep. @param {unknown} value @param {number} [indent] */
export function written(value, indent) {
  try {
    return JSON.stringify(value, null, indent) ?? "";
  } catch {
    return "";
  }
}

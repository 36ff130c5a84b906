/**
 * A random key of 20 characters, for an `Idempotency-Key` or a name. crypto.randomUUID is missing on plain http.
 * @returns {string}
 */
export function newKey() {
  const letters = "0123456789abcdefghijklmnopqrstuv";
  return Array.from(crypto.getRandomValues(new Uint8Array(20)), (byte) => letters[byte & 31]).join("");
}

import { computed, effect, signal } from "@preact/signals";
import { Problem } from "../../client/index.js";
import { connection, tidings } from "./connection.js";
import { keep, recall } from "./device.js";

/**
 * @typedef {object} Session
 * @property {string | null} name the token's subject
 * @property {boolean} signed_in
 * @property {"open" | "token"} auth open: this machine only, nobody signs in
 */

/**
 * @typedef {object} Assistant
 * @property {string} name
 * @property {string} title
 * @property {string | null} model
 * @property {string | null} note what to know of it
 * @property {string[]} prompts questions to begin with
 * @property {boolean} [default]
 */

/** @type {import("@preact/signals").Signal<Session | null>} */
export const session = signal(null);

/** The server asked for a token, or took the one there was. @type {import("@preact/signals").Signal<boolean>} */
export const signedOut = signal(false);

/** @type {import("@preact/signals").Signal<Assistant[]>} */
export const assistants = signal([]);

/**
 * The name of the assistant the next question goes to; null: the default.
 * @type {import("@preact/signals").Signal<string | null>}
 */
export const asked = signal(null);

/** The name chosen on this device, where nobody signs in. @type {import("@preact/signals").Signal<string>} */
export const chosenName = signal(recall("name", ""));

/** Whom this tab shows as its user. */
export const myName = computed(() => session.value?.name || chosenName.value || "You");

/** @param {string} name */
export function chooseName(name) {
  chosenName.value = name.trim();
  keep("name", chosenName.value || undefined);
}

/**
 * The topic of this user's conversations. Any other byte than a letter, a digit or `-` is written `_XX`, so that no two
 * names share one.
 */
export const indexTopic = computed(() => {
  if (!session.value) return null;
  const bytes = new TextEncoder().encode(session.value.name ?? "local");
  const slug = Array.from(bytes, (byte) => {
    const letter = String.fromCharCode(byte);
    return /[A-Za-z0-9-]/.test(letter) ? letter : `_${byte.toString(16).padStart(2, "0")}`;
  }).join("");
  return `users.${slug}.conversations`;
});

/** Who is here and who can be asked. @throws {Error} the server cannot be reached */
export async function load() {
  const found = await tidings.request("GET", "/session");
  if (!found.signed_in) {
    signedOut.value = true;
    return;
  }
  assistants.value = (await tidings.request("GET", "/assistants")).assistants;
  asked.value ??= assistants.value.find((assistant) => assistant.default)?.name ?? null;
  session.value = found;
  signedOut.value = false;
}

/** @param {string} token @returns {Promise<string | null>} what is wrong with it */
export async function signIn(token) {
  try {
    const before = session.value;
    const { name } = await tidings.request("POST", "/session", { json: { token: token.trim() } });
    if (before && before.name !== name) location.assign("/"); // what this tab holds is somebody else's
    await load();
    if (!signedOut.value) tidings.reconnect();
    return signedOut.value ? "The server did not accept this token." : null;
  } catch (error) {
    return /** @type {Error} */ (error).message;
  }
}

/** What this tab holds of the session goes with it. */
export async function signOut() {
  await tidings.request("DELETE", "/session");
  location.assign("/");
}

/** Whether an error means that the session ended; then the sign-in page is shown. @param {unknown} error */
export function ended(error) {
  const is = error instanceof Problem && error.status === 401;
  if (is) signedOut.value = true;
  return is;
}

effect(() => void ended(connection.value.problem));

/** @param {string | null} name @returns {string} */
export function titleOf(name) {
  const found = assistants.value.find((assistant) => assistant.name === name);
  return found?.title ?? name ?? "Assistant";
}

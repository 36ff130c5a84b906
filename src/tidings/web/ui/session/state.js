import { computed, effect, signal } from "@preact/signals";
import { Problem } from "../../client/index.js";
import { connection, tidings } from "../connection/state.js";
import { keep, recall } from "../page/storage.js";

/**
 * @typedef {object} Session
 * @property {string | null} name the token's subject; or the name that was chosen, if one was
 * @property {boolean} signed_in
 * @property {"open" | "token"} auth open: this machine only, a name is enough
 * @property {string | null} oidc what the provider is called, where people sign in with one
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

/** How one signs in here, also before one has. @type {import("@preact/signals").Signal<Pick<Session, "auth" | "oidc">>} */
export const door = signal({ auth: /** @type {"open" | "token"} */ ("token"), oidc: null });

/** The server asked for a token, or took the one there was. @type {import("@preact/signals").Signal<boolean>} */
export const signedOut = signal(false);

/** @type {import("@preact/signals").Signal<Assistant[]>} */
export const assistants = signal([]);

/**
 * The name of the assistant the next question goes to; null: the default.
 * @type {import("@preact/signals").Signal<string | null>}
 */
export const asked = signal(null);

/** Whom this tab shows as its user. */
export const myName = computed(() => session.value?.name ?? "You");

/**
 * A name as a segment of a topic. Any other byte than a letter, a digit or `-` is written `_xx`, so that no two names
 * share one.
 * @param {string} name
 */
export const slug = (name) =>
  Array.from(new TextEncoder().encode(name), (byte) => {
    const letter = String.fromCharCode(byte);
    return /[A-Za-z0-9-]/.test(letter) ? letter : `_${byte.toString(16).padStart(2, "0")}`;
  }).join("");

/** The topic of this user's conversations. */
export const indexTopic = computed(() =>
  session.value ? `users.${slug(session.value.name ?? "local")}.conversations` : null,
);

/** This user's own topic; null for one without a name. */
export const userTopic = computed(() => (session.value?.name ? `users.${slug(session.value.name)}` : null));

/** Who is here and who can be asked. @throws {Error} the server cannot be reached */
export async function load() {
  const found = await tidings.request("GET", "/session");
  door.value = found;
  if (!found.signed_in) {
    signedOut.value = true;
    return;
  }
  assistants.value = (await tidings.request("GET", "/assistants")).assistants;
  asked.value ??= assistants.value.find((assistant) => assistant.default)?.name ?? null;
  session.value = found;
  signedOut.value = false;
}

/**
 * Say who one is: by a token, or on an open server by a name.
 * @param {{token: string} | {name: string}} who
 * @returns {Promise<string | null>} what is wrong with it
 */
export async function signIn(who) {
  try {
    const before = session.value;
    const { name } = await tidings.request("POST", "/session", { json: who });
    keep("me", name); // tells the other tabs
    // What this tab holds is somebody else's; who had no name only gets one.
    if (before && before.name !== null && before.name !== name) return (location.assign("/"), null);
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
  keep("me", undefined);
  location.assign("/");
}

/** Whether an error means that the session ended; then the sign-in page is shown. @param {unknown} error */
export function ended(error) {
  const is = error instanceof Problem && error.status === 401;
  if (is) signedOut.value = true;
  return is;
}

/** @param {string | null} name @returns {string} */
export function titleOf(name) {
  const found = assistants.value.find((assistant) => assistant.name === name);
  return found?.title ?? name ?? "Assistant";
}

/** Follow sign-ins in other tabs, and notice when the session ends. */
export function start() {
  addEventListener("storage", async ({ key }) => {
    if (key !== "tidings.me" || !session.value || recall("me", null) === session.value.name) return;
    if (session.value.name !== null) location.reload();
    else await load().catch(() => {});
  });
  effect(() => void ended(connection.value.problem));
}

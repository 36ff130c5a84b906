import { computed, effect, signal } from "@preact/signals";
import { Problem } from "../../client/index.js";
import { drop, held, heldSession, holdFor } from "../connection/held.js";
import { connection, tidings, whenLeaving } from "../connection/state.js";
import { serverRoot } from "../page/root.js";
import { keep, recall } from "../page/storage.js";

/**
 * @typedef {object} Session
 * @property {string | null} name the token's subject, or the chosen name
 * @property {boolean} signed_in
 * @property {boolean} [admin] the person administers the server
 * @property {"open" | "token"} auth "open": the server listens on this machine only, so that a name is enough
 * @property {string | null} oidc the name of the OpenID Connect provider, if there is one
 */

/**
 * @typedef {object} Assistant
 * @property {string} name
 * @property {string} title
 * @property {string | null} model
 * @property {string} description a sentence or two about it
 * @property {string[]} prompts questions that the empty page offers
 * @property {string} icon a letter or an emoji, or ""
 * @property {string | null} picture the path of an image
 * @property {"none" | "text" | "images"} [files] what it takes of attached files
 * @property {boolean} [default]
 */

/** @type {import("@preact/signals").Signal<Session | null>} */
export const session = signal(null);

/** The ways to sign in. @type {import("@preact/signals").Signal<Pick<Session, "auth" | "oidc">>} */
export const door = signal({ auth: /** @type {"open" | "token"} */ ("token"), oidc: null });

/** The server asks for a sign-in, at the start or because the session has ended. @type {import("@preact/signals").Signal<boolean>} */
export const signedOut = signal(false);

/** @type {import("@preact/signals").Signal<Assistant[]>} */
export const assistants = signal([]);

/** The name of the default assistant; null without assistants. */
export const usual = computed(
  () => (assistants.value.find((assistant) => assistant.default) ?? assistants.value[0])?.name ?? null,
);

/** The person's name, as the page shows it. */
export const myName = computed(() => session.value?.name ?? "You");

/**
 * A name as a segment of a topic. Bytes other than letters, digits and `-` are written `_xx`, so that two names never
 * share a segment.
 * @param {string} name
 */
export const slug = (name) =>
  Array.from(new TextEncoder().encode(name), (byte) => {
    const letter = String.fromCharCode(byte);
    return /[A-Za-z0-9-]/.test(letter) ? letter : `_${byte.toString(16).padStart(2, "0")}`;
  }).join("");

/** The topic of the person's list of conversations. */
export const indexTopic = computed(() =>
  session.value ? `users.${slug(session.value.name ?? "local")}.conversations` : null,
);

/** The person's own topic; null without a name. */
export const userTopic = computed(() => (session.value?.name ? `users.${slug(session.value.name)}` : null));

/**
 * The time of what the page shows, in Unix seconds, while that is only what this device holds; null once the server has
 * answered.
 * @type {import("@preact/signals").Signal<number | null>}
 */
export const asOf = signal(null);

/** Begin with what this device holds of the person who was signed in last, until the server answers. */
export async function loadHeld() {
  const found = await heldSession();
  if (!found || session.value) return;
  door.value = found;
  const answer = await held("/assistants", false);
  assistants.value = answer?.assistants ?? [];
  asOf.value = found.at;
  session.value = found;
}

/** Read the session and the assistants. @throws {Error} the server cannot be reached */
export async function load() {
  const found = await tidings.request("GET", "/session");
  if (asOf.value !== null && (!found.signed_in || found.name !== session.value?.name)) return anew();
  asOf.value = null;
  door.value = found;
  if (!found.signed_in) {
    signedOut.value = true;
    await drop();
    return;
  }
  void holdFor(found);
  assistants.value = (await tidings.request("GET", "/assistants")).assistants;
  session.value = found;
  signedOut.value = false;
}

/** Load the page again: it shows what was held of somebody who is not signed in any more. */
async function anew() {
  await drop();
  location.reload();
}

/**
 * Sign in with a token, or with a name on an open server.
 * @param {{token: string} | {name: string}} who
 * @returns {Promise<string | null>} the reason of a refusal
 */
export async function signIn(who) {
  try {
    const before = session.value;
    const { name } = await tidings.request("POST", "/session", { json: who });
    keep("me", name); // announces it to the other tabs
    // This tab shows another person's data. For a nameless visitor it only gets a name.
    if (before && before.name !== null && before.name !== name) return (location.assign(serverRoot), null);
    await load();
    if (!signedOut.value) tidings.reconnect();
    return signedOut.value ? "The server did not accept this token." : null;
  } catch (error) {
    return /** @type {Error} */ (error).message;
  }
}

/** Sign out, and load the page again without the person's data. */
export async function signOut() {
  await tidings.request("DELETE", "/session");
  await drop();
  keep("me", undefined);
  location.assign(serverRoot);
}

/** Check if an error means that the session has ended; then the page asks for a sign-in. @param {unknown} error */
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
  whenLeaving(() => void (session.value && holdFor(session.value)));
}

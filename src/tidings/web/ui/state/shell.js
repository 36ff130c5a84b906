import { computed, effect, signal } from "@preact/signals";
import { conversation, read } from "./conversation.js";
import { newKey } from "../../client/index.js";
import { keep, recall } from "./device.js";
import { titled } from "./library.js";
import { outbox } from "./outbox.js";
import { opened, room } from "./room.js";
import { session } from "./session.js";

/**
 * What is open: a room, or a conversation, of which null is a new one. `at`: the message to show.
 * @typedef {{room: string, at: string | null} | {conversation: string | null}} Place
 */

/** @type {import("@preact/signals").Signal<Place>} */
const place = signal(addressed());

/** The conversation that is open; null: a new one, or a room. */
export const open = computed(() => ("conversation" in place.value ? place.value.conversation : null));
/** The room that is open. */
export const openRoom = computed(() => ("room" in place.value ? place.value.room : null));
/** The message of it to show. */
export const openAt = computed(() => ("room" in place.value ? place.value.at : null));

/** @returns {Place} what this page's address names */
function addressed() {
  const [, kind, id] = /^\/([cr])\/([A-Za-z0-9_-]{1,64})$/.exec(location.pathname) ?? [];
  if (kind === "r") return { room: id, at: new URLSearchParams(location.search).get("at") };
  return { conversation: id ?? null };
}

addEventListener("popstate", () => (place.value = addressed()));

/** Open a conversation. @param {string | null} id */
export function go(id) {
  drawer.value = false;
  if ("conversation" in place.value && id === open.value) return;
  history.pushState(null, "", id ? `/c/${id}` : "/");
  place.value = { conversation: id };
}

/** Open a room. @param {string} room @param {string | null} [at] the offset of a message to show */
export function goRoom(room, at = null) {
  drawer.value = false;
  if (room === openRoom.value && at === null) return;
  history.pushState(null, "", `/r/${room}${at ? `?at=${at}` : ""}`);
  place.value = { room, at };
}

/** The conversation that is open, or a new one, which gets its place now. @returns {string} */
export function openOrBegin() {
  if (open.value) return open.value;
  const id = newKey();
  conversation(id).status.value = "new";
  go(id);
  return id;
}

const current = computed(() => (open.value ? conversation(open.value) : null));
effect(() => {
  if (current.value && !["new", "missing"].includes(current.value.status.value)) void current.value.follow();
});

// Another tab may have begun what was missing here.
effect(() => {
  if (current.value?.status.value === "missing" && titled(current.value.id)) void current.value.follow();
});

// What is not shown and has nothing to send does not need its place on the connection.
effect(() => {
  const busy = new Set([open.value, ...outbox.value.map((letter) => letter.lane)]);
  for (const conversation of read()) if (!busy.has(conversation.id)) conversation.rest();
});

/** The open conversation. */
export const shown = current;

/** The open room. */
export const shownRoom = computed(() => (openRoom.value ? room(openRoom.value) : null));

// Only the room that is shown is followed whole; of the others the list knows what is unread.
effect(() => {
  const here = shownRoom.value;
  for (const one of opened()) if (one !== here) one.rest();
  if (here && session.value) here.follow();
});

/**
 * The run the aside is about: the one that was chosen, else the last.
 * @type {import("@preact/signals").Signal<string | null>}
 */
export const chosenRun = signal(null);

export const asideRun = computed(() => {
  if (openRoom.value) return chosenRun.value;
  const here = current.value;
  if (!here || here.turns.value.length === 0) return null;
  const runs = here.turns.value.map((turn) => here.shown(turn).run);
  return chosenRun.value && runs.includes(chosenRun.value) ? chosenRun.value : runs[runs.length - 1];
});

/** @param {string} query @returns {import("@preact/signals").Signal<boolean>} */
function media(query) {
  const list = matchMedia(query);
  const matches = signal(list.matches);
  list.addEventListener("change", () => (matches.value = list.matches));
  return matches;
}

export const compact = media("(width < 720px)");
export const wide = media("(width >= 1200px)");

/** Where the page is wide the aside is a column, and stays as it was left. */
const column = signal(recall("aside", true));
/** Elsewhere it lies over the page until it is closed. */
const overlay = signal(false);
export const asideOpen = computed(
  () => (wide.value ? column.value : overlay.value) && (asideRun.value ?? openRoom.value) !== null,
);

/** @param {boolean} is */
export function openAside(is) {
  if (!wide.value) overlay.value = is;
  else keep("aside", (column.value = is));
}

/** The side bar of the compact layout. */
export const drawer = signal(false);

/** Whether the sign-in page is shown though somebody was signed in. */
export const signingIn = signal(false);

/**
 * @typedef {{kind: "search", room?: string} | {kind: "help"} | {kind: "rename", id: string} | {kind: "delete", id: string}
 *   | {kind: "rooms"} | {kind: "room-new", name: string} | {kind: "room-edit"} | {kind: "room-invite"} | {kind: "room-archive"}
 *   | {kind: "room-leave"}
 *   | {kind: "message-delete", message: string}} Dialog `search`: in one room only, if it is named */

/** The one dialog that is open. @type {import("@preact/signals").Signal<Dialog | null>} */
export const dialog = signal(null);

/** What a screen reader is told, once. */
export const announcement = signal("");

effect(() => {
  place.value;
  overlay.value = false;
  chosenRun.value = null;
});

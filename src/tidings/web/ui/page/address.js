/** The page's address: which room or conversation is open. */
import { computed, effect, signal } from "@preact/signals";
import { drawer, resetAside } from "./layout.js";
import { serverRoot } from "./root.js";

/**
 * A room, with the offset of a message to show; or a conversation, null being a new one.
 * `nowhere`: the address is none of this page.
 * @typedef {{room: string, at: string | null} | {conversation: string | null} | {nowhere: true}} Place
 */

/** @type {import("@preact/signals").Signal<Place>} */
const place = signal(addressed());

/** The open conversation. Null: a new one, or a room is open. */
export const open = computed(() => ("conversation" in place.value ? place.value.conversation : null));

/** The open room. */
export const openRoom = computed(() => ("room" in place.value ? place.value.room : null));

/** The address leads nowhere. */
export const nowhere = computed(() => "nowhere" in place.value);

/** The offset of the message to show in the open room. */
export const openAt = computed(() => ("room" in place.value ? place.value.at : null));

/** Check if a path is one of this page. @param {string} path */
export const isPath = (path) => path.startsWith(serverRoot) && /^([cr]\/[^/]+)?$/.test(path.slice(serverRoot.length));

/** @returns {Place} the place that the browser's address names */
function addressed() {
  const path = location.pathname.startsWith(serverRoot) ? location.pathname.slice(serverRoot.length) : "";
  if (!/^([cr]\/[A-Za-z0-9_-]{1,64})?$/.test(path)) return { nowhere: true };
  const [, kind, id] = /^([cr])\/([A-Za-z0-9_-]{1,64})$/.exec(path) ?? [];
  if (kind === "r") return { room: id, at: new URLSearchParams(location.search).get("at") };
  return { conversation: id ?? null };
}

/** Open a conversation. @param {string | null} id */
export function go(id) {
  drawer.value = false;
  if ("conversation" in place.value && id === open.value) return;
  history.pushState(null, "", id ? `${serverRoot}c/${id}` : serverRoot);
  place.value = { conversation: id };
}

/** Open a room. @param {string} room @param {string | null} [at] the offset of a message to show */
export function goRoom(room, at = null) {
  drawer.value = false;
  if (room === openRoom.value && at === null) return;
  history.pushState(null, "", `${serverRoot}r/${room}${at ? `?at=${at}` : ""}`);
  place.value = { room, at };
}

/** Open an address of this page. @param {URL} url */
export function goTo(url) {
  history.pushState(null, "", url);
  place.value = addressed();
}

/** Follow the browser's back and forward buttons. */
export function start() {
  addEventListener("popstate", () => (place.value = addressed()));
  effect(() => {
    place.value;
    resetAside();
  });
}

/** The parts of the page that open and close, and the width that decides how they are laid out. */
import { computed, signal } from "@preact/signals";
import { keep, recall } from "./storage.js";

/** @param {string} query @returns {import("@preact/signals").Signal<boolean>} whether the media query matches, kept up to date */
function media(query) {
  const list = matchMedia(query);
  const matches = signal(list.matches);
  list.addEventListener("change", () => (matches.value = list.matches));
  return matches;
}

/** The page has one column, as on a phone. */
export const compact = media("(width < 720px)");
/** The page has space for the aside as a column of its own. */
export const wide = media("(width >= 1200px)");

/** On a wide page the aside is a column. Its state is kept on this device. */
const column = signal(recall("aside", true));
/** On a narrower page the aside lies over the page until it is closed. */
const overlay = signal(false);

/** The aside is wanted. Only a room, or a conversation with a run, has something to show in it. */
export const asideOpen = computed(() => (wide.value ? column.value : overlay.value));

/** @param {boolean} open */
export function openAside(open) {
  if (!wide.value) overlay.value = open;
  else keep("aside", (column.value = open));
}

/**
 * The run that was chosen for the aside. Null: the aside shows its usual content.
 * @type {import("@preact/signals").Signal<string | null>}
 */
export const chosenRun = signal(null);

/** A place that is drawn later has something for the aside. */
export const laterAside = signal(false);

/** Another room or conversation was opened: close what belonged to the one before. */
export function resetAside() {
  overlay.value = false;
  chosenRun.value = null;
  laterAside.value = false;
}

/** The side bar of the compact layout is open. */
export const drawer = signal(false);

/** The names of the folded sections of the side bar, kept on this device. @type {import("@preact/signals").Signal<readonly string[]>} */
export const folded = signal(recall("folded", []));

/** @param {string} section @param {boolean} is */
export function fold(section, is) {
  const others = folded.value.filter((name) => name !== section);
  keep("folded", (folded.value = is ? [...others, section] : others));
}

/** The sign-in page is shown although somebody is signed in. */
export const signingIn = signal(false);

/**
 * @typedef {{kind: "search", room?: string} | {kind: "help"} | {kind: "model"} | {kind: "rename", id: string} | {kind: "delete", id: string}
 *   | {kind: "rooms"} | {kind: "room-new", name: string} | {kind: "room-edit", room: string} | {kind: "room-invite"} | {kind: "room-archive"}
 *   | {kind: "room-leave", room: string} | {kind: "direct-new"}
 *   | {kind: "emoji", pick: (emoji: string) => void}
 *   | {kind: "message-delete", message: string} | {kind: "drawn", draw: () => any}
 *   | {kind: "pictures", place: string, pictures: readonly any[], first: number}} Dialog `search` with a `room` searches only there; `drawn` is a
 *   dialog of a part of the page that draws it
 */

/** The one dialog that is open. @type {import("@preact/signals").Signal<Dialog | null>} */
export const dialog = signal(null);

/** The title of a part of the page that is loaded when it is opened. */
export const partTitle = signal("Dashboards");

/** Text that a screen reader reads out once. */
export const announcement = signal("");

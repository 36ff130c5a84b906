import { computed, effect, signal } from "@preact/signals";
import { conversation, read } from "./conversation.js";
import { newKey } from "../../client/index.js";
import { keep, recall } from "./device.js";
import { titled } from "./library.js";
import { outbox } from "./outbox.js";

/** The conversation that is open; null: a new one. @type {import("@preact/signals").Signal<string | null>} */
export const open = signal(at());

/** @returns {string | null} the conversation of this page's address */
function at() {
  return /^\/c\/([A-Za-z0-9_-]{1,64})$/.exec(location.pathname)?.[1] ?? null;
}

addEventListener("popstate", () => (open.value = at()));

/** @param {string | null} id */
export function go(id) {
  drawer.value = false;
  if (id === open.value) return;
  history.pushState(null, "", id ? `/c/${id}` : "/");
  open.value = id;
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

/**
 * The run the aside is about: the one that was chosen, else the last.
 * @type {import("@preact/signals").Signal<string | null>}
 */
export const chosenRun = signal(null);

export const asideRun = computed(() => {
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
export const asideOpen = computed(() => (wide.value ? column.value : overlay.value) && asideRun.value !== null);

/** @param {boolean} is */
export function openAside(is) {
  if (!wide.value) overlay.value = is;
  else keep("aside", (column.value = is));
}

/** The side bar of the compact layout. */
export const drawer = signal(false);

/** Whether the sign-in page is shown though somebody was signed in. */
export const signingIn = signal(false);

/** @typedef {{kind: "search"} | {kind: "help"} | {kind: "rename", id: string} | {kind: "delete", id: string}} Dialog */

/** The one dialog that is open. @type {import("@preact/signals").Signal<Dialog | null>} */
export const dialog = signal(null);

/** What a screen reader is told, once. */
export const announcement = signal("");

effect(() => {
  open.value;
  overlay.value = false;
  chosenRun.value = null;
});

import { computed, effect, signal, untracked } from "@preact/signals";
import { ORIGIN } from "../../client/index.js";
import { connectionStatus, subscribe, tidings } from "../connection/state.js";
import { session } from "../session/state.js";
import * as presence from "./fold.js";

const now = () => Date.now() / 1000;

/** @type {import("@preact/signals").Signal<presence.Presence>} */
const presenceState = signal(presence.nobody);
/** The present time, updated so that presence can expire. */
const clock = signal(now());

/** The number of connections of each person who is present, by name. */
export const here = computed(() => presence.here(presenceState.value, clock.value));

/** Presence is known, because the page is connected. */
export const known = computed(() => connectionStatus.value !== "lost" && connectionStatus.value !== "connecting");

/** @param {string} name */
export const isHere = (name) => known.value && here.value.has(name);

/**
 * The people whom the person may know, with a word of their names that begins with these letters: members of rooms that
 * the person can read, and those who are present.
 * @param {string} letters
 * @returns {Promise<string[]>} names
 */
export async function knownPeople(letters) {
  const { people } = await tidings.request("GET", `/people/known?${new URLSearchParams({ q: letters.slice(0, 60) })}`);
  const present = [...here.value.keys()].filter((name) =>
    ` ${name.toLowerCase()}`.includes(` ${letters.toLowerCase()}`),
  );
  return [...new Set([...present, ...people])].sort((a, b) => a.localeCompare(b));
}

/** @type {import("../../client/index.js").Subscription | null} */
let subscription = null;

/** The list is being read, or was read a moment ago. Another beat in 5 seconds shows whether a change is missing still. */
let reading = false;

/** Read the list of people: at the start, after a break, and after a missed change. */
async function read() {
  if (reading || !session.value) return;
  reading = true;
  try {
    const { processes } = await tidings.request("GET", "/people");
    presenceState.value = presence.take(presenceState.value, processes, now());
    clock.value = now();
  } catch {
    // The next beat of any process leads to another attempt.
  }
  setTimeout(() => (reading = false), 2000);
}

/** @param {import("../../client/index.js").Event} event */
function hear(event) {
  // Many pages miss the same change: they do not read in the same instant.
  if (presence.missed(presenceState.value, event, now())) setTimeout(read, 1000 * Math.random());
  presenceState.value = presence.fold(presenceState.value, event, now());
}

/** Follow presence. */
export function start() {
  // The topic holds transient events only, so there is no history to read.
  effect(() => {
    if (!session.value || subscription) return;
    subscription = subscribe("presence", {
      after: ORIGIN,
      onEvents: (events) => {
        events.forEach(hear);
        clock.value = now();
      },
      onReset: () => {},
      onError: () => (subscription = null),
    });
  });
  effect(() => {
    if (session.value && known.value) void untracked(read);
  });
  setInterval(() => (clock.value = now()), 3000);
}

import { computed, effect, signal } from "@preact/signals";
import { ORIGIN } from "../../client/index.js";
import { connectionStatus, subscribe } from "../connection/state.js";
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

/** @type {import("../../client/index.js").Subscription | null} */
let subscription = null;

/** Follow presence. */
export function start() {
  // The topic holds transient events only, so there is no history to read.
  effect(() => {
    if (!session.value || subscription) return;
    subscription = subscribe("presence", {
      after: ORIGIN,
      onEvents: (events) => {
        presenceState.value = events.reduce((state, event) => presence.fold(state, event, now()), presenceState.value);
        clock.value = now();
      },
      onReset: () => {},
      onError: () => (subscription = null),
    });
  });
  setInterval(() => (clock.value = now()), 3000);
}

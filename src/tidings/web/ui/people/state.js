import { computed, effect, signal } from "@preact/signals";
import { ORIGIN } from "../../client/index.js";
import { connectionStatus, subscribe } from "../connection/state.js";
import { session } from "../session/state.js";
import * as presence from "./fold.js";

const now = () => Date.now() / 1000;

/** @type {import("@preact/signals").Signal<presence.Presence>} */
const told = signal(presence.nobody);
/** Moves while somebody may have to be forgotten. */
const clock = signal(now());

/** The connections of each person who is here, by name. */
export const here = computed(() => presence.here(told.value, clock.value));

/** Whether who is here is known at all. */
export const known = computed(() => connectionStatus.value !== "lost" && connectionStatus.value !== "connecting");

/** @param {string} name */
export const isHere = (name) => known.value && here.value.has(name);

/** @type {import("../../client/index.js").Subscription | null} */
let subscription = null;

/** Follow who is here. */
export function start() {
  // Nothing is stored in this topic, so there is nothing to read before.
  effect(() => {
    if (!session.value || subscription) return;
    subscription = subscribe("presence", {
      after: ORIGIN,
      onEvents: (events) => {
        told.value = events.reduce((state, event) => presence.fold(state, event, now()), told.value);
        clock.value = now();
      },
      onReset: () => {},
      onError: () => (subscription = null),
    });
  });
  setInterval(() => (clock.value = now()), 3000);
}

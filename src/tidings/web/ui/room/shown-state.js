/** The open room. */
import { computed, effect, untracked } from "@preact/signals";
import { onWake } from "../connection/wake.js";
import { openRoom } from "../page/address.js";
import { readings, summary } from "../rooms/state.js";
import { session } from "../session/state.js";
import { opened, room } from "./state.js";

/** The open room. Null: a conversation is open. */
export const shownRoom = computed(() => (openRoom.value ? room(openRoom.value) : null));

/** @param {import("./state.js").Room} room */
export const roomTitle = ({ id, about }) => `#${about.value?.name ?? summary(id)?.name ?? id}`;

/** Follow the open room whole, and leave the others: the list of rooms counts what is unread in those. */
export function start() {
  effect(() => {
    const here = shownRoom.value;
    for (const one of opened()) if (one !== here) one.rest();
    if (here && session.value) here.follow();
  });
  // A room that was refused or missing may be readable now that the list names it.
  effect(() => {
    readings.value;
    untracked(() => {
      for (const one of opened()) if (one.shut.value && summary(one.id)) one.renew();
    });
  });
  onWake(() => {
    if (session.value) for (const one of opened()) one.renew();
  });
}

/** The open room. */
import { computed, effect, untracked } from "@preact/signals";
import { hold } from "../connection/held.js";
import { whenLeaving } from "../connection/state.js";
import { onWake } from "../connection/wake.js";
import { openRoom } from "../page/address.js";
import { signed } from "../rooms/fold.js";
import { markedUnread, readings, summary } from "../rooms/state.js";
import { session } from "../session/state.js";
import { keepUnread, letRead } from "./marker-state.js";
import { opened, room } from "./state.js";

/** The open room. Null: a conversation is open. */
export const shownRoom = computed(() => (openRoom.value ? room(openRoom.value) : null));

/** @param {import("./state.js").Room} room */
export const roomTitle = ({ id, about }) => signed(about.value ?? summary(id) ?? { name: id });

/** Hold a room as it is now, as an answer of the server. @param {import("./state.js").Room} room */
function keep({ id, about, status, last, live, read, position, maxFile }) {
  if (!about.value || status.value !== "ready" || last.events.length === 0) return;
  const people = (/** @type {object} */ roles) => Object.entries(roles).map(([name, role]) => ({ name, role }));
  const { members, invited } = about.value;
  const room = { ...about.value, members: people(members), invited: people(invited), runs: live.value };
  hold(`/rooms/${id}`, { room, ...last, read: read.value, offset: position.value, max_file: maxFile });
}

/** Follow the open room whole, and leave the others: the list of rooms counts what is unread in those. */
export function start() {
  effect(() => {
    const here = shownRoom.value;
    for (const one of opened()) if (one !== here) (one.rest(), letRead(one));
    if (here && session.value) here.follow();
  });
  // A room that was refused or missing may be readable now that the list names it.
  effect(() => {
    readings.value;
    untracked(() => {
      for (const one of opened()) if (one.shut.value && summary(one.id)) one.renew();
    });
  });
  effect(() => {
    const { room: id, offset } = markedUnread.value ?? {};
    const one = opened().find((one) => one.id === id);
    if (one && offset) untracked(() => keepUnread(one, offset));
  });
  whenLeaving(() => opened().forEach(keep));
  onWake(() => {
    if (session.value) for (const one of opened()) one.renew();
  });
}

import { effect, signal } from "@preact/signals";
import { subscribe, tidings } from "../connection/state.js";
import { onWake } from "../connection/wake.js";
import { isRead } from "../log/offset-fold.js";
import { soon } from "../page/frames.js";
import { ended, session, userTopic } from "../session/state.js";
import * as list from "./fold.js";

/** @typedef {import("../../client/index.js").Subscription} Subscription */

/** The most rooms that are followed. A connection has 32 topics, and some are needed for other things. */
const MOST = 20;

/** The rooms that the person may read, by name. @type {import("@preact/signals").Signal<list.Rooms>} */
export const rooms = signal(list.none);
export const roomsListed = signal(false);

/** Counts how often the list was read from the server. */
export const readings = signal(0);

/**
 * The room that the person marked unread last, on any device, and the offset from which on.
 * @type {import("@preact/signals").Signal<{room: string, offset: string} | null>}
 */
export const markedUnread = signal(null);

let folded = list.none;
/** The subscriptions to rooms and to the person's own topic, by topic. @type {Map<string, Subscription>} */
const following = new Map();
let reading = 0;

/** The rooms whose invitations are being accepted, or could not be. @type {Set<string>} */
const accepting = new Set();

/** The rooms of which the person is a member. @param {list.Rooms} all */
export const joined = (all) => all.filter(({ role, archived }) => role !== null && !archived);

/** @param {string} id */
export const summary = (id) => rooms.value.find((room) => room.id === id) ?? null;

/** Read the list again, because a room was added or removed. */
export async function refresh() {
  const life = (reading += 1);
  const me = userTopic.value;
  try {
    const found = await tidings.patiently(() => tidings.request("GET", "/rooms"));
    if (life !== reading) return;
    folded = list.listed(found.rooms, session.value?.name ?? "");
    rooms.value = folded;
    roomsListed.value = true;
    // Follow from where the markers were read, so that none is missed.
    if (me && found.offset && !following.has(me)) followTopic(me, found.offset);
    readings.value += 1;
    followRooms();
    await accept();
  } catch (error) {
    if (!ended(error)) roomsListed.value = true;
  }
}

/** Join the rooms to which the person is invited. The server names them only to a person whose name a token proves. */
async function accept() {
  const invited = folded.filter(({ id, role, invited }) => invited && role === null && !accepting.has(id));
  if (invited.length === 0) return;
  for (const { id } of invited) accepting.add(id);
  const member = session.value?.name;
  const joining = invited.map(async ({ id }) => {
    await tidings.publish(`rooms.${id}`, { member }, { type: "member.joined" });
    accepting.delete(id);
  });
  await Promise.allSettled(joining); // an invitation that was revoked meanwhile is refused
  await refresh();
}

/** Follow the person's rooms, each from the offset up to which it was counted, and leave all others. */
function followRooms() {
  const archived = folded.filter((room) => room.role !== null && room.archived); // an archived room may be restored
  const wanted = new Map([...joined(folded), ...archived].slice(0, MOST).map(({ id, told }) => [`rooms.${id}`, told]));
  for (const [topic, subscription] of following) {
    const told = wanted.get(topic);
    if (topic === userTopic.value || (told !== undefined && isRead(told, subscription.position))) continue;
    subscription.close();
    following.delete(topic);
  }
  for (const [topic, told] of wanted) if (!following.has(topic)) followTopic(topic, told);
}

/** @param {string} topic @param {string} after */
function followTopic(topic, after) {
  const subscription = subscribe(topic, {
    after,
    onEvents: (events) => take(events),
    onReset: () => void refresh(),
    onError: () => {
      following.delete(topic);
      if (topic !== userTopic.value) void refresh(); // the person may not read it any more
    },
  });
  following.set(topic, subscription);
}

/** @param {import("../../client/index.js").Event[]} events */
function take(events) {
  const me = session.value?.name ?? "";
  const before = folded;
  folded = events.reduce((all, event) => list.fold(all, event, me), folded);
  if (folded !== before) soon(() => (rooms.value = folded));
  for (const { type, data } of events) if (type === "room.unread") markedUnread.value = data;
  if (events.some((event) => isNews(event, me))) void refresh();
}

/** Check if an event adds or removes a room of a person. @param {import("../../client/index.js").Event} event @param {string} me */
function isNews({ type, data }, me) {
  if (type === "member.joined" || type === "member.left" || type === "member.banned") return data?.member === me;
  if (["room.archived", "room.restored", "room.unread"].includes(type)) return true;
  const id = /^rooms\.(.+)$/.exec(data?.topic ?? "")?.[1];
  if (type !== "notification.created" || id === undefined) return false;
  return data.kind === "invite" || !folded.some((room) => room.id === id);
}

let whose = "";

/** Read the list of rooms when somebody signs in, and again after the page has slept. */
export function start() {
  effect(() => {
    const me = session.value?.name;
    if (!me || me === whose) return;
    whose = me;
    void refresh();
  });
  onWake(() => {
    if (!session.value) return;
    // Leave the topics until the list is counted again. Otherwise the whole night would be replayed only to be counted.
    for (const [topic, subscription] of following) {
      if (topic === userTopic.value) continue;
      subscription.close();
      following.delete(topic);
    }
    void refresh();
  });
}

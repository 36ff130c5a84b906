import { computed, effect, signal } from "@preact/signals";
import { serverTime, subscribe, tidings } from "../connection/state.js";
import { goTo } from "../page/address.js";
import { soon } from "../page/frames.js";
import { summary } from "../rooms/state.js";
import { ended, userTopic } from "../session/state.js";
import { dismiss, notSaved, toast } from "../toasts/state.js";
import { show as showOnDesktop } from "./desktop-state.js";
import * as folds from "./fold.js";

/** @typedef {folds.Notification} Notification */

/** @type {import("@preact/signals").Signal<folds.Notifications>} */
export const notifications = signal(folds.none);

/** Why there are none to show. @type {import("@preact/signals").Signal<string | null>} */
export const refused = signal(null);

export const unread = computed(() => folds.unread(notifications.value));

/** Whether the centre is open. It takes what comes itself, so nothing of it is a toast then. */
export const centreOpen = signal(false);

/** Bumped when do-not-disturb is over. */
const tick = signal(0);

/** Until when nothing disturbs, in Unix seconds; null: it may. */
export const quietUntil = computed(() => {
  tick.value;
  const { dnd } = notifications.value;
  return dnd !== null && dnd > serverTime() ? dnd : null;
});

/** @type {string | null} */
let followed = null;
/** @type {import("../../client/index.js").Subscription | null} */
let subscription = null;
let folded = folds.none;

const paint = () => soon(() => (notifications.value = folded));

/** From the snapshot on. @param {string} topic */
async function begin(topic) {
  subscription?.close();
  subscription = null;
  refused.value = null;
  try {
    const snapshot = await tidings.patiently(() => tidings.request("GET", "/notifications"));
    if (followed !== topic) return;
    folded = folds.from(snapshot);
    paint();
    subscription = subscribe(topic, {
      after: snapshot.offset,
      onEvents: take,
      onReset: () => void begin(topic),
      onError: ({ message }) => (refused.value = message),
    });
  } catch (error) {
    if (!ended(error)) refused.value = /** @type {Error} */ (error).message;
  }
}

/** @param {import("../../client/index.js").Event[]} events */
function take(events) {
  const known = new Set(folded.items.map(({ offset }) => offset));
  folded = events.reduce(folds.fold, folded);
  paint();
  const fresh = folded.items.filter(({ offset, read }) => !read && !known.has(offset));
  // Of a hundred that come at once, after a night, the last few are enough; the centre has them all.
  for (const item of fresh.slice(0, 3).reverse()) arrived(item);
}

/** @type {Record<string, [icon: string, tone?: string]>} */
const ICONS = {
  mention: ["at-sign", "tide"],
  reply: ["reply"],
  answer: ["circle-check"],
  invite: ["user-plus"],
  interrupted: ["triangle-alert", "amber"],
  failed: ["circle-x", "red"],
  alert: ["gauge"],
};

/** @param {Notification} item @returns {[icon: string, tone?: string]} */
export const iconOf = ({ kind }) => (Object.hasOwn(ICONS, kind) ? ICONS[kind] : ["bell"]);

/** @param {Notification} item */
function arrived(item) {
  const seen = !document.hidden && document.hasFocus();
  if (seen && addressOf(item) === location.pathname) return markRead([item.offset]);
  if (quietUntil.value !== null) return;
  void showOnDesktop(item, () => open(item));
  if (document.hidden || centreOpen.value) return;
  const [icon, tone] = iconOf(item);
  const reply = item.kind === "mention" || item.kind === "reply";
  const actions = [
    ...(item.link ? [{ label: reply ? "Reply" : "Open", run: () => open(item) }] : []),
    { label: "Mark read", quiet: true, run: () => markRead([item.offset]) },
  ];
  toast({ key: item.offset, icon, tone, title: item.title, text: item.text, actions });
}

/** Where one of ours leads. @param {Notification} item @returns {string | null} its path */
function addressOf({ link }) {
  const url = urlOf(link);
  return url?.origin === location.origin ? url.pathname : null;
}

/** A link that leads somewhere: a path of ours, or https. @param {string | null} link */
export function urlOf(link) {
  const url = link && URL.canParse(link, location.origin) ? new URL(link, location.origin) : null;
  return url && (url.origin === location.origin || url.protocol === "https:") ? url : null;
}

/** Go to what it is about. It is read then. @param {Notification} item */
export function open(item) {
  dismiss(item.offset);
  if (!item.read) markRead([item.offset]);
  const url = urlOf(item.link);
  if (!url) return;
  if (url.origin !== location.origin) window.open(url, "_blank", "noopener");
  else if (!/^\/([cr]\/[^/]+)?$/.test(url.pathname)) location.assign(url);
  else goTo(url);
}

/**
 * What one does is shown at once, and is so on every tab and device when the log has it.
 * @param {string} type
 * @param {object} data
 */
async function publish(type, data) {
  const topic = userTopic.value;
  if (!topic) return;
  take([{ topic, offset: null, type, time: serverTime(), data }]);
  try {
    await tidings.publish(topic, data, { type });
  } catch (error) {
    if (ended(error)) return;
    notSaved(/** @type {Error} */ (error));
    void begin(topic);
  }
}

/** @param {string[]} offsets */
export function markRead(offsets) {
  for (const offset of offsets) dismiss(offset);
  void publish("notification.read", { offsets });
}

export function markAllRead() {
  const [latest] = folded.items;
  if (latest) void publish("notification.read", { upto: latest.offset });
}

/** @param {string} topic */
export const isMuted = (topic) => notifications.value.muted.includes(topic);

/** What people call a topic. @param {string} topic */
export function labelOf(topic) {
  const [, room] = /^rooms\.(.+)$/.exec(topic) ?? [];
  return room ? `#${summary(room)?.name ?? room}` : topic;
}

/** @param {string} topic */
export function mute(topic) {
  void publish("topic.muted", { topic });
  toast({
    key: `muted-${topic}`,
    icon: "bell-off",
    title: `Muted ${labelOf(topic)}`,
    text: "Mentions still reach you.",
    actions: [{ label: "Undo", run: () => unmute(topic) }],
  });
}

/** @param {string} topic */
export function unmute(topic) {
  dismiss(`muted-${topic}`);
  void publish("topic.unmuted", { topic });
}

/** @param {number | null} until Unix seconds; null: no more */
export const setQuiet = (until) => void publish("dnd.set", { until });

/** Read the notifications of the person who is signed in. */
export function start() {
  effect(() => {
    if (centreOpen.value) for (const { offset } of notifications.peek().items) dismiss(offset);
  });
  effect(() => {
    if (quietUntil.value === null) return;
    const left = Math.min((quietUntil.value - serverTime()) * 1000 + 50, 3_600_000);
    const timer = setTimeout(() => (tick.value += 1), left);
    return () => clearTimeout(timer);
  });
  // They are those of whoever is signed in.
  effect(() => {
    const topic = userTopic.value;
    if (topic === followed) return;
    followed = topic;
    folded = folds.none;
    paint();
    if (topic) void begin(topic);
  });
}

import { computed, effect, signal } from "@preact/signals";
import { serverTime, subscribe, tidings } from "../connection/state.js";
import { goTo, isPath, open as openConversation, openRoom } from "../page/address.js";
import { soon } from "../page/frames.js";
import { serverRoot } from "../page/root.js";
import { signed } from "../rooms/fold.js";
import { summary } from "../rooms/state.js";
import { ended, userTopic } from "../session/state.js";
import { dismiss, notSaved, toast } from "../toasts/state.js";
import { close as closeOnDesktop, show as showOnDesktop } from "./desktop-state.js";
import * as folds from "./fold.js";

/** @typedef {folds.Notification} Notification */
/** @typedef {"all" | "mentions" | "muted"} Level */

/** @type {import("@preact/signals").Signal<folds.Notifications>} */
export const notifications = signal(folds.none);

/** The reason why there are no notifications to show. @type {import("@preact/signals").Signal<string | null>} */
export const refused = signal(null);

export const unread = computed(() => folds.unread(notifications.value));

/** The notification centre is open. It shows new notifications itself, so there are no toasts meanwhile. */
export const centreOpen = signal(false);

/** Counts up when Do not disturb ends. */
const tick = signal(0);

/** The end of Do not disturb, in Unix seconds; null when it is off. */
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

/** Read the snapshot and follow the topic from there. @param {string} topic */
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
  const left = new Set(folded.items.map(({ offset }) => offset));
  for (const offset of known) {
    if (left.has(offset)) continue;
    dismiss(offset);
    closeOnDesktop(offset);
  }
  const fresh = folded.items.filter(({ offset, read }) => !read && !known.has(offset));
  // After a night a hundred may come at once. Show the last three; the centre has them all.
  for (const item of fresh.slice(0, 3).reverse()) arrived(item);
}

/** @type {Record<string, [icon: string, tone?: string]>} */
const ICONS = {
  mention: ["at-sign", "tide"],
  everyone: ["at-sign", "tide"],
  reply: ["reply"],
  message: ["message-square"],
  answer: ["circle-check"],
  question: ["message-square", "tide"],
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
  const reply = ["mention", "everyone", "reply", "message"].includes(item.kind);
  const actions = [
    ...(item.link ? [{ label: reply ? "Reply" : "Open", run: () => open(item) }] : []),
    { label: "Mark as read", quiet: true, run: () => markRead([item.offset]) },
  ];
  toast({ key: item.offset, icon, tone, title: item.title, text: item.text, actions });
}

/** The path of a notification's link within this page. @param {Notification} item @returns {string | null} */
function addressOf({ link }) {
  const url = urlOf(link);
  return url?.origin === location.origin ? url.pathname : null;
}

/** A valid link: a path of this server, or https. @param {string | null} link */
export function urlOf(link) {
  const address = link?.startsWith("/") ? serverRoot + link.slice(1) : link;
  const url = address && URL.canParse(address, location.origin) ? new URL(address, location.origin) : null;
  return url && (url.origin === location.origin || url.protocol === "https:") ? url : null;
}

/** Open a notification's link and mark the notification read. @param {Notification} item */
export function open(item) {
  dismiss(item.offset);
  if (!item.read) markRead([item.offset]);
  const url = urlOf(item.link);
  if (!url) return;
  if (url.origin !== location.origin) window.open(url, "_blank", "noopener");
  else if (!isPath(url.pathname)) location.assign(url);
  else goTo(url);
}

/**
 * Publish a change of the notifications. It is shown at once here, and in other tabs when the log has it.
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

/** A topic's name for people. @param {string} topic */
export function labelOf(topic) {
  const [, room] = /^rooms\.(.+)$/.exec(topic) ?? [];
  return room ? signed(summary(room) ?? { name: room }) : topic;
}

/** @param {string} topic */
export function mute(topic) {
  void publish("topic.muted", { topic });
  toast({
    key: `muted-${topic}`,
    icon: "bell-off",
    title: `Muted ${labelOf(topic)}`,
    text: "You still get mentions.",
    actions: [{ label: "Undo", run: () => unmute(topic) }],
  });
}

/** A topic's level: every message notifies, or mentions and replies, or mentions alone. @param {string} topic @returns {Level} */
export const levelOf = (topic) =>
  isMuted(topic) ? "muted" : notifications.value.watched.includes(topic) ? "all" : "mentions";

/** @param {string} topic @param {Level} level */
export function setLevel(topic, level) {
  const before = levelOf(topic);
  if (level === before) return;
  if (level === "muted") mute(topic);
  else if (level === "all") void publish("topic.watched", { topic });
  else if (before === "muted") unmute(topic);
  else void publish("topic.unwatched", { topic });
}

/** @param {string} topic */
export function unmute(topic) {
  dismiss(`muted-${topic}`);
  void publish("topic.unmuted", { topic });
}

/** @param {number | null} until Unix seconds; null ends Do not disturb */
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
  // The place that an agent's question is at shows the question itself.
  effect(() => {
    const asked = notifications.value.items.filter(({ kind, read }) => kind === "question" && !read);
    const place = openRoom.value ? `/r/${openRoom.value}` : `/c/${openConversation.value}`;
    const here = asked.filter(({ link }) => link === place);
    if (here.length > 0 && !document.hidden) markRead(here.map(({ offset }) => offset));
  });
  effect(() => {
    const topic = userTopic.value;
    if (topic === followed) return;
    followed = topic;
    folded = folds.none;
    paint();
    if (topic) void begin(topic);
  });
}

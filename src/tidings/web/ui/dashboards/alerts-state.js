/** The alert rules that watch the topics of the open dashboard, and what fired. */
import { signal } from "@preact/signals";
import { subscribe, tidings } from "../connection/state.js";
import { soon } from "../page/frames.js";
import { episodesOf, take } from "./episodes-fold.js";

/** @typedef {import("./episodes-fold.js").Episode} Episode */
/** @typedef {{id: string, title: string, rule: {topic: string, field?: string | null, kind?: string}, episodes: readonly Episode[]}} Watched */

/** The most rules of a dashboard that are followed. */
const MOST = 20;

/** @type {import("@preact/signals").Signal<readonly Watched[]>} */
export const watched = signal([]);

/** @type {import("../../client/index.js").Subscription[]} */
let subscriptions = [];
/** Counts the dashboards, so that an answer for one that was left is dropped. */
let life = 0;

/** Read the rules that watch some topics, and follow them. A dashboard without rules shows none. @param {readonly string[]} topics */
export async function watch(topics) {
  unwatch();
  if (topics.length === 0) return;
  const mine = life;
  try {
    const query = new URLSearchParams({ topics: topics.join(",") });
    const { rules } = await tidings.request("GET", `/alerts?${query}`);
    const found = await Promise.all(rules.slice(0, MOST).map(detailsOf));
    if (mine !== life) return;
    watched.value = found.map(({ watched }) => watched);
    for (const {
      watched: { id },
      offset,
    } of found)
      follow(id, offset);
  } catch {
    // Charts are drawn without alerts when these cannot be read.
  }
}

/** @param {{id: string}} rule @returns {Promise<{watched: Watched, offset: string}>} */
async function detailsOf({ id }) {
  const { rule, history, offset } = await tidings.request("GET", `/alerts/rules/${id}`);
  /** @type {{type: string, fact: any}[]} */
  const entries = history;
  const transitions = entries.filter(({ type }) => type === "alert.changed").map(({ fact }) => fact);
  return { watched: { id, title: rule.title || rule.topic, rule, episodes: episodesOf(transitions) }, offset };
}

/** @param {string} id @param {string} offset */
function follow(id, offset) {
  let pending = /** @type {import("../../client/index.js").Event[]} */ ([]);
  const paint = () => {
    const events = pending;
    pending = [];
    watched.value = watched.value.map((one) =>
      one.id === id ? { ...one, episodes: events.reduce(take, one.episodes) } : one,
    );
  };
  subscriptions.push(
    subscribe(`alerts.${id}`, {
      after: offset,
      onEvents: (events) => {
        pending.push(...events);
        soon(paint);
      },
      onError: () => {}, // the chart keeps what it has
    }),
  );
}

/** Follow no rule any more. */
export function unwatch() {
  life += 1;
  for (const subscription of subscriptions) subscription.close();
  subscriptions = [];
  watched.value = [];
}

import { computed, effect, signal, untracked } from "@preact/signals";
import { ORIGIN, Problem } from "../../client/index.js";
import { connectionStatus, subscribe, tidings } from "../connection/state.js";
import { goTo, openFilter, openProcess } from "../page/address.js";
import { soon } from "../page/frames.js";
import { drawer, laterAside } from "../page/layout.js";
import { serverRoot } from "../page/root.js";
import { keep, recall } from "../page/storage.js";
import { ended } from "../session/state.js";
import { run } from "./dots-state.js";
import { conditionsOf, joined, queryOf } from "./filters-fold.js";
import { arrivals, drawn, taken, thresholds } from "./map-fold.js";

/** @typedef {import("./map-fold.js").Figures} Figures */

/**
 * @typedef {{edge: readonly [string, string]} | {activity: string} | {variants: true}} Subject what the aside is about
 */

/** Milliseconds from one reading of the figures to the next, at least. */
const PAUSE = 100;

/** The pause is so many times as long as the last reading, so that a large map leaves the page time for other things. */
const EASE = 3;

/** Milliseconds for which cases that have just come are shown. */
const NEWS = 2000;

/** Variants that are listed. */
const VARIANTS = 100;

/** The names of the processes that the person may read; null before they are known. @type {import("@preact/signals").Signal<readonly string[] | null>} */
export const processes = signal(null);

/** The list of processes could not be read. */
export const notListed = signal(false);

/**
 * The open process. `empty`: it has no events yet; `unmatched`: no case meets the filter. `since`: the Unix time of the
 * figures; `filter`: the query of their filter. `reason`: why there are no figures, or none of the filter.
 * @typedef {{name: string, status: "loading" | "ready" | "empty" | "unmatched" | "denied" | "failed", figures: Figures | null, since: number, filter: string, reason: string}} Process
 */

/** @type {Process} */
const NOTHING = { name: "", status: "loading", figures: null, since: 0, filter: "", reason: "" };

/** @type {import("@preact/signals").Signal<Process>} */
export const process = signal(NOTHING);

/** The conditions that select the cases of the open process. */
export const conditions = computed(() => conditionsOf(openFilter.value));

/** The query of the conditions. */
export const filter = computed(() => queryOf(conditions.value));

/** The title of the open place. */
export const processTitle = computed(() => openProcess.value ?? "Processes");

/** Figures are shown as they were. */
export const paused = signal(false);

/** The number of events that the server has announced last. */
export const announced = signal(0);

/** The map is not told of changes: the server refuses, or cannot be reached. */
const refused = signal(false);
export const stale = computed(() => refused.value || connectionStatus.value === "lost");

/** The cases that have just come, by activity. @type {import("@preact/signals").Signal<ReadonlyMap<string, number>>} */
export const news = signal(new Map());

/** The cases that an edge must have to be drawn; null: as few as leave a map that can be read. @type {import("@preact/signals").Signal<number | null>} */
export const threshold = signal(null);

/** The figure on edges. @type {import("@preact/signals").Signal<"cases" | "time">} */
export const measure = signal("cases");

/** @type {import("@preact/signals").Signal<import("./route-fold.js").Direction>} */
export const direction = signal(recall("map.direction", "down"));

/** @param {import("./route-fold.js").Direction} to */
export const setDirection = (to) => keep("map.direction", (direction.value = to));

/** Tables are shown in place of the map. */
export const asTable = signal(false);

/** The subject of the aside. @type {import("@preact/signals").Signal<Subject | null>} */
export const subject = signal(null);

/** The case that the aside shows, of its subject. @type {import("@preact/signals").Signal<string | null>} */
export const openCase = signal(null);

/** The variant whose path is marked, as its activities. @type {import("@preact/signals").Signal<readonly string[] | null>} */
export const marked = signal(null);

/** The part of the map that is drawn. */
export const map = computed(() => process.value.figures && drawn(process.value.figures, threshold.value));

/** The thresholds that can be chosen, the lowest first. */
export const steps = computed(() => thresholds(process.value.figures?.edges ?? []));

/** @param {Subject | null} next */
export function choose(next) {
  openCase.value = null;
  subject.value = next;
  if (!next || !("variants" in next)) marked.value = null;
  laterAside.value = next !== null;
}

/** The address of a process. @param {string | null} name null: of the list */
export const addressOf = (name) => `${serverRoot}p${name ? `/${name}` : ""}`;

/** Select other cases. @param {readonly import("./filters-fold.js").Condition[]} next */
export function setConditions(next) {
  const query = queryOf(next);
  goTo(new URL(`${addressOf(process.peek().name)}${query && `?${query}`}`, location.href));
}

/** Select the cases that also meet further conditions. @param {...import("./filters-fold.js").Condition} more */
export const narrow = (...more) => setConditions(joined(conditions.peek(), more));

/** The path of a list of cases, of those that the figures are about. @param {Record<string, string>} query */
export const casesPath = (query) => {
  const { name, filter } = process.value;
  return `/processes/${name}/cases?${new URLSearchParams(query)}${filter && `&${filter}`}`;
};

/** Open a process. @param {string | null} name null: the list */
export function goProcess(name) {
  drawer.value = false;
  goTo(new URL(addressOf(name), location.href));
}

/** Read the list of processes. */
export async function listProcesses() {
  try {
    const names = [];
    for (let after = ""; ;) {
      const page = await tidings.request("GET", `/processes${after && `?after=${after}`}`);
      names.push(...page.processes.map((/** @type {{name: string}} */ { name }) => name));
      if (!page.next) break;
      after = page.next;
    }
    processes.value = names;
    notListed.value = false;
  } catch (error) {
    notListed.value = !ended(error);
  }
}

/** Read the figures of the open process. */
let readNow = () => {};
export const readAgain = () => readNow();

/**
 * Show a process, and follow its figures.
 * @param {string} name
 * @returns {() => void} ends that
 */
export function follow(name) {
  const before = process.peek();
  if (before.name !== name) {
    process.value = { ...NOTHING, name };
    announced.value = 0;
    threshold.value = null;
    measure.value = "cases";
  }
  paused.value = refused.value = false;
  choose(null);
  let left = false;
  let reading = 0;
  let turn = 0;
  let again = false;
  // Figures of another filter are read at once, also while the map is paused: those of the last one are no answer to it.
  const read = async () => {
    const query = filter.peek();
    const other = query !== asked;
    if (left || (paused.peek() && !other)) return;
    if (reading && !other) return void (again = true);
    const mine = (reading = ++turn);
    const over = () => left || mine !== turn;
    asked = query;
    again = false;
    const begun = performance.now();
    try {
      const figures = await tidings.request("GET", `/processes/${name}?variants=${VARIANTS}${query && `&${query}`}`);
      const held = paused.peek() && !other;
      if (!over() && !held) await new Promise((drawn) => soon(() => drawn(over() || show(name, query, figures))));
    } catch (error) {
      if (!over()) fail(query, error);
    }
    const took = performance.now() - begun;
    setTimeout(
      () => {
        if (over()) return;
        reading = 0;
        if (again) void read();
      },
      Math.max(PAUSE, EASE * took),
    );
  };
  let asked = filter.peek();
  // The topic has transient events only. The connection brings no earlier ones, so the figures are read after each break.
  const subscription = subscribe(`process.${name}.figures`, {
    after: ORIGIN,
    onEvents: (events) => {
      announced.value = events.at(-1)?.data?.events ?? 0;
      void read();
    },
    onReset: () => void read(),
    onError: () => void (refused.value = true),
  });
  readNow = () => void read();
  const filtered = effect(() => {
    if (filter.value === untracked(() => asked)) return;
    untracked(() => {
      choose(null);
      threshold.value = null;
      void read();
    });
  });
  const awake = effect(() => {
    if (connectionStatus.value !== "lost" && !paused.value) void untracked(read);
  });
  return () => {
    left = true;
    subscription.close();
    filtered();
    awake();
    choose(null);
  };
}

/** @param {string} name @param {string} query @param {Figures} figures */
function show(name, query, figures) {
  const { figures: before, filter } = process.peek();
  if (before && filter === query && before.offset !== figures.offset) {
    tell(arrivals(before, figures));
    run(taken(before, figures));
  }
  announced.value = (figures.whole ?? figures).events;
  const status = figures.events > 0 ? "ready" : figures.whole?.events ? "unmatched" : "empty";
  process.value = { name, status, figures, since: Date.now() / 1000, filter: query, reason: "" };
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let over;

/** Show cases that have just come for a moment. @param {Map<string, number>} come */
function tell(come) {
  if (come.size === 0) return;
  const all = new Map(news.peek());
  for (const [activity, cases] of come) all.set(activity, (all.get(activity) ?? 0) + cases);
  news.value = all;
  over ??= setTimeout(() => {
    over = undefined;
    news.value = new Map();
  }, NEWS);
}

/** Say why there are no figures of a filter. Figures that are shown stay. @param {string} query @param {unknown} error */
function fail(query, error) {
  const now = process.peek();
  if (ended(error) || (now.figures && now.filter === query)) return;
  if (now.figures) return void (process.value = { ...now, reason: /** @type {Error} */ (error).message });
  const code = error instanceof Problem ? error.status : 0;
  const status = code === 404 ? "empty" : code === 403 ? "denied" : "failed";
  process.value = { ...process.peek(), status, reason: /** @type {Error} */ (error).message };
}

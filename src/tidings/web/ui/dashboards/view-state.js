/** The view of the open dashboard: the span of time, and the time itself. */
import { computed, signal } from "@preact/signals";
import { serverTime } from "../connection/state.js";

/** The seconds that the charts show. */
export const range = signal(300);

/** The span that was chosen in a chart; null: the charts are live. @type {import("@preact/signals").Signal<{from: number, to: number} | null>} */
export const zoom = signal(null);

/** The day before is drawn, too. */
export const comparing = signal(false);

/** Tables stand in place of the charts. */
export const asTables = signal(false);

/** The server's time as the page draws it. It stands still in a pause. */
export const now = signal(0);

/** The events that have come in the pause; null: there is no pause. @type {import("@preact/signals").Signal<number | null>} */
export const buffered = signal(null);

/** The first and the last moment that the charts show. */
export const shownSpan = computed(() => zoom.value ?? { from: now.value - range.value, to: now.value });

/** The view stands still. */
export const paused = computed(() => buffered.value !== null);

/** Seconds in a day, by which the day before is away. */
export const DAY = 86_400;

/** The longest span that is compared: of longer ones the server does not keep the day before. */
export const MOST_COMPARED = 30 * DAY;

/**
 * The span to read of the day before. It reaches further than what is shown, so that it is not read with each step of
 * time but once in a while.
 */
export const spanBefore = computed(() => {
  const { from, to } = shownSpan.value;
  const size = to - from;
  const every = size > DAY ? 3600 : size;
  const base = Math.floor(to / every) * every;
  return { from: base - size - DAY, to: size > DAY ? base : base + size - DAY };
});

/** The topics whose events are counted in the pause, each by one of its readers. @type {Map<string, object>} */
const counting = new Map();

export function pause() {
  counting.clear();
  buffered.value = 0;
}

/** Go on: what has come meanwhile is drawn at once. */
export function resume() {
  buffered.value = null;
  now.value = serverTime();
}

/** Count events that come in a pause, once for all readers of a topic. @param {string} topic @param {object} reader @param {number} events */
export function countBuffered(topic, reader, events) {
  if (buffered.value === null) return;
  if (!counting.has(topic)) counting.set(topic, reader);
  if (counting.get(topic) === reader) buffered.value += events;
}

/** Show a range up to now. @param {number} seconds */
export function showRange(seconds) {
  zoom.value = null;
  range.value = seconds;
  resume();
}

/** Show a part of what the charts show. @param {number} from @param {number} to */
export function zoomTo(from, to) {
  if (to - from < 2) return;
  zoom.value = { from: Math.floor(from), to: Math.ceil(to) };
}

/** Milliseconds between two steps of time: charts of a minute move smoothly, others by the second. @param {boolean} still no movement is wanted */
export const stepOf = (still) => (still ? 1000 : Math.max(100, Math.min(1000, range.value * 1.5)));

/** A card that is shown: its feeds, and what follows from them. */
import { computed } from "@preact/signals";
import { aggOf } from "./document-fold.js";
import { dataOf } from "./data-fold.js";
import { leave, seriesFeed } from "./feeds-state.js";
import { comparing, DAY, MOST_COMPARED, now, paused, range, shownSpan, spanBefore, zoom } from "./view-state.js";

/** @typedef {import("./document-fold.js").Card} Card */
/** @typedef {import("./feeds-state.js").SeriesFeed} SeriesFeed */
/** @typedef {import("./data-fold.js").Data} Data */

/** The most columns of a chart, and of one with bars. */
const POINTS = 1000;
const BARS = 60;

/** @param {import("./document-fold.js").Series} series @returns {import("./series-fold.js").Spec} */
const specOf = (series) => ({
  topic: series.topic,
  field: series.field ?? "",
  agg: aggOf(series),
  by: series.by ?? "",
});

/** The feeds of a card, and those of the day before. @param {Card} card @returns {{now: SeriesFeed[], before: SeriesFeed[]}} */
export function feedsOf(card) {
  const points = card.kind === "bar" ? BARS : POINTS;
  const span = zoom.value ? { ...zoom.value, live: false, points } : { from: -range.value, to: 0, live: true, points };
  const specs = (card.series ?? []).map(specOf);
  const compared = comparing.value && ["line", "area"].includes(card.kind) && range.value <= MOST_COMPARED;
  const before = compared ? { ...spanBefore.value, live: false, points: 2 * points } : null;
  return {
    now: specs.map((spec) => seriesFeed(spec, span)),
    before: before ? specs.map((spec) => seriesFeed(spec, before)) : [],
  };
}

/** The subject of a card's feeds: when it changes, the card takes others. @param {Card} card */
export const keyOf = (card) =>
  JSON.stringify([card.kind, card.series, range.value, zoom.value, comparing.value && spanBefore.value]);

/** @param {{now: SeriesFeed[], before: SeriesFeed[]}} feeds */
export function leaveFeeds(feeds) {
  for (const feed of [...feeds.now, ...feeds.before]) leave(feed);
}

/** @typedef {ReturnType<typeof modelOf>} Model */

/**
 * Make the signals of what a card shows.
 * @param {Card} card
 * @param {{now: SeriesFeed[], before: SeriesFeed[]}} feeds
 */
export function modelOf(card, feeds) {
  /** @param {SeriesFeed[]} some */
  const sources = (some) =>
    some.flatMap(({ spec, columns }, n) =>
      columns ? [{ spec, columns, label: (card.series ?? [])[n]?.label ?? "" }] : [],
    );
  const status = computed(() => {
    if (feeds.now.some((feed) => feed.status.value === "failed")) return "failed";
    if (feeds.now.some((feed) => feed.status.value === "loading" && !feed.columns)) return "loading";
    for (const feed of feeds.now) feed.version.value;
    if (feeds.now.some(({ columns }) => columns && columns.lines.length > 0)) return "ready";
    return feeds.now.some(({ exists }) => exists) ? "silent" : "empty";
  });
  const reason = computed(() => feeds.now.map((feed) => feed.reason.value).find(Boolean) ?? "");
  /** @type {{data: Data, before: Data | null} | null} */
  let last = null;
  const drawn = computed(() => {
    if (last && paused.value) return last;
    for (const feed of [...feeds.now, ...feeds.before]) feed.version.value;
    const { from, to } = shownSpan.value;
    const past = feeds.before.length > 0 ? dataOf(sources(feeds.before), from - DAY, to - DAY) : null;
    const before = past && { ...past, times: past.times.map((time) => time + DAY) };
    return (last = { data: dataOf(sources(feeds.now), from, to), before });
  });
  /** The time of the last event, and the seconds without one after which the card is stale. */
  const rhythm = computed(() => {
    for (const feed of feeds.now) feed.version.value;
    const known = sources(feeds.now).map(({ columns }) => columns);
    const newest = Math.max(0, ...known.map((columns) => columns.newest));
    const patience = Math.min(Infinity, ...known.map((columns) => columns.patience));
    const usual = Math.min(Infinity, ...known.map((columns) => columns.usual));
    return { newest, patience, usual };
  });
  const silence = computed(() => (rhythm.value.newest ? Math.max(0, now.value - rhythm.value.newest) : null));
  const stale = computed(() => !zoom.value && silence.value !== null && silence.value > rhythm.value.patience);
  const notes = computed(() => {
    for (const feed of feeds.now) feed.version.value;
    const bad = sources(feeds.now).reduce((sum, { columns }) => sum + columns.bad, 0);
    const beyond = sources(feeds.now).reduce((sum, { columns }) => sum + columns.beyond, 0);
    return [
      ...new Set(feeds.now.flatMap((feed) => feed.notes)),
      ...(bad > 0 ? [`${bad} new values were no numbers, and are not drawn.`] : []),
      ...(beyond > 0 ? [`${beyond} new events of further groups are not drawn.`] : []),
    ];
  });
  const retry = () => {
    for (const feed of feeds.now) if (feed.status.value === "failed") void feed.begin();
  };
  return { status, reason, drawn, rhythm, silence, stale, notes, retry };
}

/** Figures of processes for tests. */

/**
 * @param {string} from @param {string} to @param {number} cases @param {object} [more]
 * @returns {import("../../../../src/tidings/web/ui/processes/map-fold.js").Edge}
 */
export const edge = (from, to, cases, more = {}) => ({
  ...{ from, to, cases, events: cases, mean: 60, median: 60, min: 60, max: 60, sum: 60 * cases, exact: true },
  ...more,
});

/** @param {string} activity @param {number} cases */
export const activity = (activity, cases) => ({ activity, cases, events: cases, open: 0, oldest: null });

/**
 * @param {import("../../../../src/tidings/web/ui/processes/map-fold.js").Edge[]} edges
 * @param {object} [more]
 * @returns {import("../../../../src/tidings/web/ui/processes/map-fold.js").Figures}
 */
export const figures = (edges, more = {}) => ({
  ...{
    topic: "process.orders",
    offset: "e-9",
    first: 0,
    last: 9,
    events: 99,
    cases: 20,
    variants: 2,
    edges,
    refused: 0,
  },
  activities: [...new Set(edges.flatMap(({ from, to }) => [from, to]))].map((name) => activity(name, 20)),
  ...{ start: {}, end: {}, top_variants: [], folded: { activities: 0, edges: 0, cases: 0, other: "other activities" } },
  ...more,
});

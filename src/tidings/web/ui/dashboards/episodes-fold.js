/** The episodes of an alert rule, folded from its transitions: when it fired, and until when. Pure. */

/**
 * @typedef {object} Episode
 * @property {string} instance "" for a rule without instances
 * @property {number} from Unix seconds
 * @property {number | null} to null: it still fires
 */

/** @typedef {Episode & {rule: string, title: string}} Fired an episode, with the id and the title of its rule */

/** The states within an episode. */
const ON = ["firing", "recovering"];

/** Take an event of a rule's topic. @param {readonly Episode[]} episodes @param {{type: string, data: any}} event @returns {readonly Episode[]} */
export function take(episodes, { type, data }) {
  if (type !== "alert.changed" || data === null || typeof data !== "object") return episodes;
  const { instance = "", was, state, at } = data;
  const [is, before] = [ON.includes(state), ON.includes(was)];
  if (is === before || typeof at !== "number") return episodes;
  if (is) return [...episodes, { instance, from: at, to: null }];
  const open = episodes.findLast((one) => one.instance === instance && one.to === null);
  return open ? episodes.map((one) => (one === open ? { ...one, to: at } : one)) : episodes;
}

/** The episodes of a row of transitions. The beginning of the first may be unknown; it is left out then. @param {readonly any[]} transitions */
export const episodesOf = (transitions) =>
  transitions.reduce(
    (found, data) => take(found, { type: "alert.changed", data }),
    /** @type {readonly Episode[]} */ ([]),
  );

/**
 * Check if a rule judges what a series shows: the same field of the same topic, or the number of its events.
 * @param {{topic: string, field?: string | null, kind?: string}} rule
 * @param {{topic: string, field?: string}} series
 */
export const judges = ({ topic, field, kind }, series) =>
  topic === series.topic && (kind === "rate" || kind === "absence" || (field ?? "") === (series.field ?? ""));

/** The episodes that a chart draws, each with its title. @param {string} rule @param {string} title @param {readonly Episode[]} episodes @returns {readonly Fired[]} */
export const firedOf = (rule, title, episodes) =>
  episodes.map((one) => ({ ...one, rule, title: one.instance ? `${title} (${one.instance})` : title }));

/**
 * Find the episodes that were about the values of a card.
 * @param {{series?: readonly {topic: string, field?: string}[]}} card
 * @param {readonly {id: string, title: string, rule: {topic: string, field?: string | null, kind?: string}, episodes: readonly Episode[]}[]} rules
 */
export const firedOn = ({ series = [] }, rules) =>
  rules
    .filter(({ rule }) => series.some((one) => judges(rule, one)))
    .flatMap(({ id, title, episodes }) => firedOf(id, title, episodes));

/** Say what fired in a span of time, for those who do not see it. @param {readonly Fired[]} fired @param {number} from @param {number} to */
export function firedWords(fired, from, to) {
  const seen = fired.filter((one) => one.from < to && (one.to ?? Infinity) > from);
  const now = seen.filter((one) => one.to === null).map(({ title }) => title);
  const parts = [
    ...(now.length > 0 ? [`Firing: ${now.slice(0, 3).join(", ")}`] : []),
    ...(seen.length > now.length ? [`Fired and over: ${seen.length - now.length}`] : []),
  ];
  return parts.join(". ");
}

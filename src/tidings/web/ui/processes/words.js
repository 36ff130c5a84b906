/** The words of a map for its figures. */
import { counted, number } from "../text/format.js";
import { span } from "./span-fold.js";
import { measure } from "./state.js";

/** @typedef {import("./map-fold.js").Edge} Edge */
/** @typedef {import("./map-fold.js").Activity} Activity */

/** The figure on an edge. @param {Edge} edge */
export const labelOf = ({ cases, median }) => (measure.value === "cases" ? number(cases) : span(median));

/** The line below an activity's name. @param {Activity} activity */
export function aboutOf({ cases, open, oldest }) {
  const here = measure.value === "time" && oldest !== null ? `oldest ${span(oldest)}` : `${number(open)} here`;
  return open > 0 ? `${counted(cases, "case")} \u00b7 ${here}` : counted(cases, "case");
}

/** An edge, as a screen reader says it. @param {Edge} edge */
export const edgeInWords = ({ from, to, cases, median }) =>
  `${from} to ${to}, ${counted(cases, "case")}, median ${span(median)}`;

/** An activity, as a screen reader says it: the words on the map. @param {Activity} activity */
export const activityInWords = (activity) => `${activity.activity}, ${aboutOf(activity)}`;

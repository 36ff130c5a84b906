/** Cases of an edge or of an activity, and the events of a case, as the server lists them page by page. */
import { signal } from "@preact/signals";
import { tidings } from "../connection/state.js";

/**
 * @typedef {{case: string, seconds: number, times: number, events: number, offset: string}} FoundCase
 * @typedef {{offset: string, time: number, activity: string, data: any}} Step
 */

/**
 * A list that is read page by page.
 * @template Row
 * @typedef {{state: "loading" | "ready" | "failed", rows: readonly Row[], total: number, reason: string}} Listed
 */

/** Rows of a page. */
const PAGE = 50;

/**
 * @template Row
 * @param {string} path
 * @param {"cases" | "events"} member of the answer
 */
export function paged(path, member) {
  /** @type {import("@preact/signals").Signal<Listed<Row>>} */
  const listed = signal(/** @type {Listed<Row>} */ ({ state: "loading", rows: [], total: 0, reason: "" }));
  const more = async () => {
    const { rows } = listed.value;
    listed.value = { ...listed.value, state: "loading" };
    try {
      const answer = await tidings.request(
        "GET",
        `${path}${path.includes("?") ? "&" : "?"}skip=${rows.length}&limit=${PAGE}`,
      );
      listed.value = { state: "ready", rows: [...rows, ...answer[member]], total: answer.total, reason: "" };
    } catch (error) {
      listed.value = { ...listed.value, state: "failed", reason: /** @type {Error} */ (error).message };
    }
  };
  return { listed, more };
}

import { tidings } from "../connection/state.js";

/**
 * @typedef {object} Hit a message or an answer that was found
 * @property {string} room
 * @property {string} offset
 * @property {string} by "" for an assistant
 * @property {string | null} assistant
 * @property {number} time Unix seconds
 * @property {string} text around what was sought
 * @property {[number, number][]} marks where it stands in `text`
 */

/**
 * What was said in the rooms one may read, newest first.
 * @param {string} sought
 * @param {string | null} room only there
 * @returns {Promise<Hit[]>}
 * @throws {Error} it was refused, or the server cannot be reached
 */
export async function searchRooms(sought, room) {
  const query = new URLSearchParams({ q: sought.slice(0, 200), ...(room && { room }) });
  return (await tidings.request("GET", `/rooms/search?${query}`)).hits;
}

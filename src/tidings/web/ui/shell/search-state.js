import { tidings } from "../connection/state.js";

/**
 * @typedef {object} Hit a message or an answer
 * @property {string} room
 * @property {string} offset
 * @property {string} by "" for an assistant
 * @property {string | null} assistant
 * @property {number} time Unix seconds
 * @property {string} text around the searched words
 * @property {[number, number][]} marks positions of the searched words in `text`
 */

/**
 * Search the messages of the rooms that the person may read, newest first.
 * @param {string} sought
 * @param {string | null} room searches only this room
 * @returns {Promise<Hit[]>}
 * @throws {Error} the server refused or cannot be reached
 */
export async function searchRooms(sought, room) {
  const query = new URLSearchParams({ q: sought.slice(0, 200), ...(room && { room }) });
  return (await tidings.request("GET", `/rooms/search?${query}`)).hits;
}

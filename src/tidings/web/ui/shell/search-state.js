import { tidings } from "../connection/state.js";

/** @typedef {{by: string, assistant: string | null, text: string}} Beside the text before a hit, or after it */

/**
 * @typedef {object} Hit a message or an answer of a room, or a question or an answer of a conversation
 * @property {string | null} room
 * @property {string | null} conversation
 * @property {string} offset
 * @property {string | null} run of a question or an answer in a conversation
 * @property {string} by "" for an assistant
 * @property {string | null} assistant
 * @property {number} time Unix seconds
 * @property {string} text around the searched words
 * @property {[number, number][]} marks positions of the searched words in `text`
 * @property {import("../files/state.js").Stored[]} files
 * @property {Beside | null} previous
 * @property {Beside | null} following
 */

/** The most characters of a search. */
const LONGEST = 200;

/**
 * Search what the person may read, newest first.
 * @param {string} sought
 * @param {string | null} room searches only this room
 * @returns {Promise<Hit[]>}
 * @throws {Error} the server refused or cannot be reached
 */
export async function search(sought, room) {
  const query = new URLSearchParams({ q: sought.slice(0, LONGEST), ...(room && { room }) });
  return (await tidings.request("GET", `/search?${query}`)).hits;
}

/**
 * The people of the person's rooms whose names begin so.
 * @param {string} letters
 * @returns {Promise<string[]>}
 */
export async function searchPeople(letters) {
  return (await tidings.request("GET", `/people/known?${new URLSearchParams({ q: letters })}`)).people;
}

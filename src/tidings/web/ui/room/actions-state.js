import { signal } from "@preact/signals";
import { Problem, newKey } from "../../client/index.js";
import { tidings } from "../connection/state.js";
import { openRoom } from "../page/address.js";
import { draft, edit } from "../page/drafts.js";
import { refresh } from "../rooms/state.js";
import { ended, session } from "../session/state.js";

/** What was refused last, of what one does in passing: it is said above the composer. */
export const trouble = signal("");

/** Seconds between two words that one types. */
const AGAIN = 3;

/** @param {string} id @param {string} type @param {object} data */
function publish(id, type, data) {
  return tidings.publish(`rooms.${id}`, data, { type });
}

/** @param {Promise<unknown>} done @returns {Promise<boolean>} whether it was */
async function inPassing(done) {
  trouble.value = "";
  try {
    await done;
    return true;
  } catch (error) {
    if (!ended(error)) trouble.value = /** @type {Error} */ (error).message;
    return false;
  }
}

/** The segment of a topic that a name suggests. @param {string} name */
export const suggested = (name) =>
  name
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, " ")
    .trim()
    .replace(/ /g, "-")
    .slice(0, 48)
    .replace(/-$/, "");

/**
 * A new room, named by its name as long as nobody else has that.
 * @param {{name: string, about: string, private: boolean}} what
 * @returns {Promise<string>} its id
 * @throws {Problem} the server refused it
 */
export async function create({ name, about, private: hidden }) {
  const data = { name, private: hidden, ...(about && { about }) };
  const wish = suggested(name);
  for (const id of [wish, `${wish && `${wish}-`}${newKey().slice(0, 6)}`]) {
    if (!id) continue;
    try {
      await publish(id, "room.created", data);
      await refresh();
      return id;
    } catch (error) {
      if (!(error instanceof Problem) || ![403, 409].includes(error.status) || id !== wish) throw error;
    }
  }
  throw new Error("There is no name for it.");
}

/** @param {string} id */
export async function join(id) {
  await publish(id, "member.joined", { member: session.value?.name });
  await refresh();
}

/** @param {string} id */
export async function leave(id) {
  await publish(id, "member.left", { member: session.value?.name });
  await refresh();
}

/** @param {string} id @param {string} name @param {string} about */
export const rename = (id, name, about) => publish(id, "room.renamed", { name, about });

/** @param {string} id @param {boolean} is */
export async function archive(id, is) {
  await publish(id, is ? "room.archived" : "room.restored", {});
  await refresh();
}

/** @param {string} id @param {string} member @param {import("./fold.js").Role} role */
export const invite = (id, member, role) => publish(id, "member.joined", { member, role });

/** @param {string} id @param {string} member @param {import("./fold.js").Role} role */
export const setRole = (id, member, role) => inPassing(publish(id, "member.role", { member, role }));

/** @param {string} id @param {string} member */
export const ban = (id, member) => inPassing(publish(id, "member.banned", { member }));

/** @param {string} id @param {string} member */
export const liftBan = (id, member) => inPassing(publish(id, "member.unbanned", { member }));

/** @param {string} id @param {string} member */
export const removeMember = (id, member) => inPassing(publish(id, "member.left", { member }));

/** @param {string} id @param {string} message @param {string} emoji @param {boolean} on */
export const react = (id, message, emoji, on) =>
  inPassing(publish(id, on ? "reaction.added" : "reaction.removed", { message, emoji }));

/** What was refused is where it was written again. @param {string} id @param {string} message @param {string} text */
export async function editMessage(id, message, text) {
  const done = await inPassing(publish(id, "message.edited", { message, text }));
  if (!done && openRoom.value === id && draft.value === "") edit(message, text);
}

/** @param {string} id @param {string} message */
export const deleteMessage = (id, message) => publish(id, "message.deleted", { message });

/** When one was last seen typing, by room. @type {Map<string, number>} */
const typed = new Map();

/** One types: whoever is there may know, and nobody has to. @param {string} id */
export function typing(id) {
  const now = Date.now() / 1000;
  if (now - (typed.get(id) ?? 0) < AGAIN) return;
  typed.set(id, now);
  tidings.publish(`rooms.${id}`, {}, { type: "typing", transient: true }).catch(() => {});
}

/** What was typed is posted: the next word is news at once. @param {string} id */
export const typedAll = (id) => typed.delete(id);

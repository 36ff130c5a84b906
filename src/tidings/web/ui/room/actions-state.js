import { signal } from "@preact/signals";
import { Problem, newKey } from "../../client/index.js";
import { tidings } from "../connection/state.js";
import { openRoom } from "../page/address.js";
import { draft, edit } from "../page/drafts.js";
import { refresh } from "../rooms/state.js";
import { ended, session } from "../session/state.js";

/** The last refusal of a small action, such as a reaction. It is shown above the composer. */
export const trouble = signal("");

/** Seconds between two typing events. */
const AGAIN = 3;

/** @param {string} id @param {string} type @param {object} data */
function publish(id, type, data) {
  return tidings.publish(`rooms.${id}`, data, { type });
}

/** Show the refusal of a small action. @param {Promise<unknown>} done @returns {Promise<boolean>} false: it was refused */
export async function withTrouble(done) {
  trouble.value = "";
  try {
    await done;
    return true;
  } catch (error) {
    if (!ended(error)) trouble.value = /** @type {Error} */ (error).message;
    return false;
  }
}

/** A room's ID, made from its name. @param {string} name */
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
 * Create a room. Its ID is made from its name; if that ID is taken, a random part is added.
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
  throw new Error("Give the room a name.");
}

/**
 * Find the direct message with some people, and begin it if nobody has.
 * @param {readonly string[]} names of the others
 * @param {readonly string[]} [invited] those of them who are not known here
 * @returns {Promise<string>} its id
 */
export async function openDirect(names, invited = []) {
  const asked = new URLSearchParams(names.map((name) => ["name", name]));
  const { room, exists } = await tidings.request("GET", `/people/direct?${asked}`);
  if (exists) return room;
  try {
    await publish(room, "room.created", { private: true, people: [session.value?.name, ...names], invited });
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 409) throw error; // another has begun it in between
  }
  await refresh();
  return room;
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

/** @param {string} id @param {string} member @param {import("./about-fold.js").Role} role */
export const addMember = (id, member, role) => publish(id, "member.joined", { member, role });

/** @param {string} id @param {string} member @param {import("./about-fold.js").Role} role */
export const invite = (id, member, role) => publish(id, "member.invited", { member, role });

/** @param {string} id @param {string} member */
export const revokeInvitation = (id, member) => withTrouble(publish(id, "member.uninvited", { member }));

/** Make a person who is invited a member. @param {string} id @param {string} member @param {import("./about-fold.js").Role} role */
export const acceptFor = (id, member, role) => withTrouble(addMember(id, member, role));

/** @param {string} id @param {string} member @param {import("./about-fold.js").Role} role */
export const setRole = (id, member, role) => withTrouble(publish(id, "member.role", { member, role }));

/** @param {string} id @param {string} member */
export const ban = (id, member) => withTrouble(publish(id, "member.banned", { member }));

/** @param {string} id @param {string} member */
export const liftBan = (id, member) => withTrouble(publish(id, "member.unbanned", { member }));

/** @param {string} id @param {string} member */
export const removeMember = (id, member) => withTrouble(publish(id, "member.left", { member }));

/** @param {string} id @param {string} message @param {string} emoji @param {boolean} on */
export const react = (id, message, emoji, on) =>
  withTrouble(publish(id, on ? "reaction.added" : "reaction.removed", { message, emoji }));

/** Edit a message. A refused text goes back into the composer. @param {string} id @param {string} message @param {string} text */
export async function editMessage(id, message, text) {
  const done = await withTrouble(publish(id, "message.edited", { message, text }));
  if (!done && openRoom.value === id && draft.value === "") edit(message, text);
}

/** @param {string} id @param {string} message */
export const deleteMessage = (id, message) => publish(id, "message.deleted", { message });

/** The time of the last typing event, by room. @type {Map<string, number>} */
const typed = new Map();

/** Publish a transient typing event, unless one was published a moment ago. @param {string} id */
export function typing(id) {
  const now = Date.now() / 1000;
  if (now - (typed.get(id) ?? 0) < AGAIN) return;
  typed.set(id, now);
  tidings.publish(`rooms.${id}`, {}, { type: "typing", transient: true }).catch(() => {});
}

/** Let the next key publish a typing event at once, because the text was posted. @param {string} id */
export const endTyping = (id) => typed.delete(id);

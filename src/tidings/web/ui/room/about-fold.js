import { others } from "../rooms/fold.js";

/** The fold of a room's name, members and so on. Pure. */

/** @typedef {"owner" | "member" | "reader"} Role */

/**
 * @typedef {object} About
 * @property {string} name
 * @property {string} about
 * @property {boolean} private
 * @property {boolean} direct it is a direct message, whose `name` is that of the other people
 * @property {boolean} archived
 * @property {Readonly<Record<string, Role>>} members in the order of joining
 * @property {Readonly<Record<string, Role>>} invited people who may become members, in the order of their invitations
 * @property {readonly string[]} banned people who cannot be members
 */

/** The state of a room as the server tells it. @param {any} room of `GET /rooms/ID` @param {string} [me] @returns {About} */
export function aboutOf({ name, about, private: hidden, direct = false, archived, members, invited, banned }, me = "") {
  const people = [...members, ...invited].map((/** @type {{name: string}} */ one) => one.name).sort();
  const roles = (/** @type {{name: string, role: Role}[]} */ people) =>
    Object.fromEntries(people.map((one) => [one.name, one.role]));
  return {
    name: direct ? others(people, me) : name,
    about: about ?? "",
    private: hidden,
    direct,
    archived,
    members: roles(members),
    invited: roles(invited),
    banned,
  };
}

/**
 * Fold one event into the room's name, members and so on. The start comes from the server, because a stretch of the log
 * does not hold all of it.
 * @param {About} about
 * @param {import("../../client/index.js").Event} event
 * @returns {About}
 */
export function foldAbout(about, { offset, type, data }) {
  if (offset === null || data === null || typeof data !== "object") return about;
  switch (type) {
    case "room.renamed":
      return { ...about, name: data.name ?? about.name, about: data.about ?? about.about };
    case "room.archived":
      return { ...about, archived: true };
    case "room.restored":
      return { ...about, archived: false };
    case "member.joined":
      return {
        ...about,
        members: { ...about.members, [data.member]: data.role },
        invited: without(about.invited, data),
      };
    case "member.role":
      return { ...about, members: { ...about.members, [data.member]: data.role } };
    case "member.invited":
      return { ...about, invited: { ...about.invited, [data.member]: data.role } };
    case "member.uninvited":
      return { ...about, invited: without(about.invited, data) };
    case "member.left":
      return { ...about, members: without(about.members, data) };
    case "member.banned": {
      const banned = [...about.banned, data.member];
      return { ...about, members: without(about.members, data), invited: without(about.invited, data), banned };
    }
    case "member.unbanned":
      return { ...about, banned: about.banned.filter((name) => name !== data.member) };
    default:
      return about;
  }
}

/** @param {Readonly<Record<string, Role>>} roles @param {any} data of an event about a member */
function without(roles, { member }) {
  const { [member]: _, ...others } = roles;
  return others;
}

import { html } from "../kit/html.js";
import { clockTime } from "../text/format.js";

/** @typedef {import("./fold.js").Notice} Notice */

/** @type {Record<string, (notice: Notice) => string>} */
const WORDS = {
  "room.created": ({ by, what }) => (what ? `${by} created #${what}` : `${by} started this direct message`),
  "room.renamed": ({ by, what }) => `${by} renamed the room to #${what}`,
  "room.archived": ({ by }) => `${by} archived the room`,
  "room.restored": ({ by }) => `${by} restored the room`,
  "member.joined": ({ by, what }) => (by === what ? `${by} joined` : `${by} added ${what}`),
  "member.invited": ({ by, what }) => `${by} invited ${what}`,
  "member.uninvited": ({ by, what }) => `${by} revoked the invitation of ${what}`,
  "member.left": ({ by, what }) => (by === what ? `${by} left` : `${by} removed ${what}`),
  "member.role": ({ by, what, role }) => `${by} made ${what} ${role === "owner" ? "an owner" : `a ${role}`}`,
  "member.banned": ({ by, what }) => `${by} banned ${what}`,
  "member.unbanned": ({ by, what }) => `${by} unbanned ${what}`,
};

/** A line about a change of the room itself. @param {{item: Notice}} props */
export const NoticeLine = ({ item }) => html`
  <p class="happened" data-offset=${item.offset}>${WORDS[item.type](item)} <time>${clockTime(item.time)}</time></p>
`;

import assert from "node:assert/strict";
import { test } from "node:test";

import { aboutOf, foldAbout } from "../../../../src/tidings/web/ui/room/about-fold.js";

/** @param {number} n @param {string} type @param {any} data */
const event = (n, type, data) => ({ topic: "rooms.deploys", offset: `e-${n}`, type, time: n * 60, data });

test("name, members and state continue from the server's answer", () => {
  const about = {
    name: "deploys",
    about: "",
    private: false,
    direct: false,
    archived: false,
    members: { Mara: /** @type {const} */ ("owner") },
    invited: {},
    banned: [],
  };
  const later = [
    event(1, "member.joined", { by: "Jonas", member: "Jonas", role: "member" }),
    event(2, "member.role", { by: "Mara", member: "Jonas", role: "reader" }),
    event(3, "room.renamed", { by: "Mara", name: "drains", about: "Releases" }),
    event(4, "room.archived", { by: "Mara" }),
  ].reduce(foldAbout, about);
  assert.deepEqual(later, {
    ...{ name: "drains", about: "Releases", private: false, direct: false, archived: true },
    ...{ members: { Mara: "owner", Jonas: "reader" }, banned: [], invited: {} },
  });
  const invited = foldAbout(later, event(5, "member.invited", { by: "Mara", member: "Ada", role: "reader" }));
  assert.deepEqual(invited.invited, { Ada: "reader" });
  for (const type of ["member.uninvited", "member.banned", "member.joined"])
    assert.deepEqual(foldAbout(invited, event(6, type, { member: "Ada", role: "reader" })).invited, {}, type);
  const banned = foldAbout(later, event(5, "member.banned", { by: "Mara", member: "Jonas", role: "reader" }));
  assert.deepEqual([banned.members, banned.banned], [{ Mara: "owner" }, ["Jonas"]]);
  assert.deepEqual(foldAbout(banned, event(6, "member.unbanned", { by: "Mara", member: "Jonas" })).banned, []);
  const gone = [event(5, "member.left", { member: "Jonas" }), event(6, "room.restored", {})].reduce(foldAbout, later);
  assert.deepEqual([gone.members, gone.archived], [{ Mara: "owner" }, false]);
});

test("a direct message is named after the other people, of whom some may be invited", () => {
  const member = (/** @type {string} */ name) => ({ name, role: "member" });
  const answer = { name: "", private: true, direct: true, archived: false, banned: [] };
  const about = aboutOf({ ...answer, members: ["Mara", "Jonas"].map(member), invited: ["Ada"].map(member) }, "Mara");
  assert.deepEqual([about.name, about.direct], ["Ada, Jonas", true]);
  const joined = foldAbout(about, event(1, "member.joined", { by: "Ada", member: "Ada", role: "member" }));
  assert.deepEqual([joined.name, Object.keys(joined.invited)], ["Ada, Jonas", []]);
});

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { connection, tidings } from "../connection/state.js";
import { Aside } from "../kit/aside.js";
import { IconButton } from "../kit/button.js";
import { html } from "../kit/html.js";
import { Mark } from "../kit/icon.js";
import { Menu } from "../kit/menu.js";
import { levelOf } from "../notifications/state.js";
import { dialog, openAside } from "../page/layout.js";
import { Person } from "../people/person.js";
import { isHere, known } from "../people/state.js";
import { assistants, session } from "../session/state.js";
import { counted, number } from "../text/format.js";
import { acceptFor, ban, liftBan, removeMember, revokeInvitation, setRole } from "./actions-state.js";
import { placesOf } from "./header.js";
import { writingTo } from "./item-actions.js";
import { shownRoom } from "./shown-state.js";

/** @typedef {import("./state.js").Room} Room */
/** @typedef {import("./about-fold.js").Role} Role */

/** The members of the open room, its assistants, and its topic. */
export function RoomAside() {
  const close = () => openAside(false);
  const room = /** @type {Room} */ (shownRoom.value);
  const about = room.about.value;
  return html`
    <${Aside} title="Room" kind="room-aside" closeLabel="Close room details" onClose=${close}>
      ${about && html`<${Members} room=${room} ...${about} />`}
      <section aria-label="Assistants">
        <h3>Assistants</h3>
        <ul class="people">
          ${assistants.value.map(
            ({ name, title, default: usual }) => html`
              <li key=${name}>
                <${Mark} size=${28} />
                <div>
                  <b>${title}</b>
                  <small>answers when mentioned${assistants.value.length > 1 && !usual && html` as @${name}`}</small>
                </div>
              </li>
            `,
          )}
        </ul>
      </section>
      <${Topic} room=${room} key=${room.id} />
    <//>
  `;
}

/** @param {{room: Room} & import("./about-fold.js").About} props */
function Members({ room, members, invited, banned, archived, direct }) {
  const owner = room.role.value === "owner" && !archived;
  const names = Object.keys(members);
  const rank = (/** @type {string} */ name) => (name === session.value?.name ? 0 : isHere(name) ? 1 : 2);
  const all = names.sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
  return html`
    <section aria-label="Members">
      <div class="heading">
        <h3>Members <small>${counted(all.length, "person", "people")}</small></h3>
        ${
          owner &&
          html`<${IconButton}
            icon="user-plus"
            label="Add a member"
            size=${16}
            onClick=${() => (dialog.value = { kind: "room-invite" })}
          />`
        }
      </div>
      <ul class="people">
        ${all.map((name) => html`<${Member} key=${name} ...${{ room, name, role: members[name], owner }} />`)}
      </ul>
      ${Object.keys(invited).length > 0 && html`<${Invited} room=${room} invited=${invited} owner=${owner} direct=${direct} />`}
      ${owner && banned.length > 0 && html`<${Banned} room=${room} names=${banned} />`}
    </section>
  `;
}

/** People whose invitations are pending. @param {{room: Room, invited: Readonly<Record<string, Role>>, owner: boolean, direct: boolean}} props */
const Invited = ({ room, invited, owner, direct }) => html`
  <h3>Invited</h3>
  <ul class="people">
    ${Object.entries(invited).map(([name, role]) => {
      const revoke = { icon: "x", label: "Revoke invitation", danger: true };
      const items = [
        ...(session.value?.auth === "open"
          ? [{ icon: "user-plus", label: "Add now", run: () => void acceptFor(room.id, name, role) }]
          : []),
        ...(owner ? [{ ...revoke, run: () => void revokeInvitation(room.id, name) }] : []),
      ];
      const state = session.value?.auth === "open" && isHere(name) ? "here, not added yet" : "has not joined yet";
      return html`
        <li key=${name} class="pending">
          <${Person} name=${name} dot=${false} />
          <div><b>${name}</b><small>${[state, role !== "member" && role].filter(Boolean).join(", ")}</small></div>
          ${
            (owner || direct) &&
            items.length > 0 &&
            html`<${Menu} icon="ellipsis" label=${`About ${name}`} size=${16} items=${items} />`
          }
        </li>
      `;
    })}
  </ul>
`;

/** @param {{room: Room, names: readonly string[]}} props */
const Banned = ({ room, names }) => html`
  <h3>Banned</h3>
  <ul class="people">
    ${names.map((name) => {
      const items = [{ icon: "rotate-ccw", label: "Unban", run: () => void liftBan(room.id, name) }];
      return html`
        <li key=${name}>
          <${Person} name=${name} />
          <div><b>${name}</b><small>banned</small></div>
          <${Menu} icon="ellipsis" label=${`About ${name}`} size=${16} items=${items} />
        </li>
      `;
    })}
  </ul>
`;

/** @param {{room: Room, name: string, role: Role, owner: boolean}} props */
function Member({ room, name, role, owner }) {
  const me = name === session.value?.name;
  const roles = /** @type {Role[]} */ (["owner", "member", "reader"]).filter((one) => one !== role);
  const icons = { owner: "crown", member: "user", reader: "eye" };
  const items = [
    ...writingTo(name, room),
    ...(!owner || me
      ? []
      : [
          ...roles.map((one) => ({
            icon: icons[one],
            label: `Make ${one === "owner" ? "an owner" : `a ${one}`}`,
            run: () => void setRole(room.id, name, one),
          })),
          { icon: "trash-2", label: "Remove", danger: true, run: () => void removeMember(room.id, name) },
          { icon: "circle-x", label: "Ban", danger: true, run: () => void ban(room.id, name) },
        ]),
  ];
  return html`
    <li>
      <${Person} name=${name} me=${me} />
      <div>
        <b>${name}</b
        ><small>${[standingOf(room, name, me), role !== "member" && role].filter(Boolean).join(", ")}</small>
      </div>
      ${items.length > 0 && html`<${Menu} icon="ellipsis" label=${`About ${name}`} size=${16} items=${items} />`}
    </li>
  `;
}

/** A member's presence, in words. @param {Room} room @param {string} name @param {boolean} me */
function standingOf(room, name, me) {
  const places = placesOf(name);
  const { tabs, by } = connection.value;
  if (me) {
    const shared = by !== "self" && tabs > 1 && counted(tabs, "tab");
    return ["you", shared, places > 1 && "also elsewhere"].filter(Boolean).join(", ");
  }
  if (room.typing.value.includes(name)) return "typing";
  return !known.value ? "unknown" : places > 0 ? "here" : "away";
}

/** @param {{room: Room}} props */
function Topic({ room }) {
  /** @type {import("@preact/signals").Signal<any>} */
  const head = useSignal(/** @type {any} */ (null));
  const ready = room.status.value === "ready";
  useEffect(() => {
    if (!ready) return;
    tidings
      .request("GET", `/topics/${room.topic}`)
      .then((found) => (head.value = found))
      .catch(() => {});
  }, [ready]);
  return html`
    <section aria-label="Topic">
      <h3>Topic</h3>
      <dl>
        <div>
          <dt>Name</dt>
          <dd><code title=${room.topic}>${room.topic}</code></dd>
        </div>
        <div>
          <dt>Your offset</dt>
          <dd><code>${room.position.value || "\u2013"}</code></dd>
        </div>
        <div>
          <dt>Earliest</dt>
          <dd><code>${head.value?.earliest ?? "\u2013"}</code></dd>
        </div>
        <div>
          <dt>Retention</dt>
          <dd>${kept(head.value?.retention)}</dd>
        </div>
        <div>
          <dt>Notify</dt>
          <dd>${LEVELS[room.about.value?.direct && levelOf(room.topic) !== "muted" ? "all" : levelOf(room.topic)]}</dd>
        </div>
      </dl>
    </section>
  `;
}

const LEVELS = { all: "All messages", mentions: "Mentions and replies", muted: "Mentions only" };

/** A retention, in words. @param {{max_age?: number | null, max_events?: number | null, max_bytes?: number | null} | undefined} retention */
function kept(retention) {
  if (!retention) return "\u2013";
  const { max_age: age, max_events: events } = retention;
  if (age) return age >= 172_800 ? `${Math.round(age / 86_400)} days` : `${Math.round(age / 3600)} hours`;
  return events ? `${number(events)} events` : "Kept forever";
}

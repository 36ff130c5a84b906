import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { isRead } from "../folds/offset.js";
import { authorOf, idOf } from "../folds/room.js";
import { rows } from "../folds/rows.js";
import { standing } from "../state/connection.js";
import { unseen } from "../state/messages.js";
import { runSignal } from "../state/runs.js";
import { session, titleOf } from "../state/session.js";
import { openAt } from "../state/shell.js";
import { clockTime, dayName } from "../text/format.js";
import { html, Icon } from "./html.js";
import { serve } from "./inside.js";
import { toEnd, useFollowing } from "./log.js";
import { RoomAnswer } from "./room-answer.js";
import { RoomMessage } from "./room-message.js";
import { NoticeLine } from "./room-notice.js";
import { RoomPending } from "./room-pending.js";

/** @typedef {import("../state/room.js").Room} Room */
/** @typedef {import("preact").RefObject<HTMLElement | null>} Ref */

/** Pixels from the beginning at which the page before is asked for: before one gets there. */
const EARLY = 800;

/** Items that are drawn first: as many as a screen shows. A whole page of 100 takes three times as long. */
const FIRST = 30;

/** Milliseconds after which the rest of the page is drawn, which is above what one looks at. */
const LATER = 150;

/**
 * What was said in a room. It follows the end until one scrolls up, and goes on backwards as long as there is more.
 * @param {{room: Room}} props
 */
export function RoomLog({ room }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const content = useRef(/** @type {HTMLElement | null} */ (null));
  const away = useSignal(false);
  const whole = useWhole(room);
  const items = whole ? room.items.value : room.items.value.slice(-FIRST);
  // Above the line everything was read: it is drawn once that is known of what stands above it.
  const reached = room.earlier.value === "none" || (items.length > 0 && isRead(room.since.value, items[0].offset));
  const since = reached ? room.since.value : null;
  const me = session.value?.name ?? null;
  const may = useMay(room);
  const letters = unseen(room);
  const fresh = useFresh(room, away);
  useFollowing(box, content, away, room.id);
  usePlace(content, box, items[0]?.key ?? "");
  useEarlier(room, box, away, whole);
  useArrival(room, box, away);
  useMarking(room, away);
  useEffect(() => serve(/** @type {HTMLElement} */ (box.current)), []);
  const how = { since, me, isNew: (/** @type {string} */ offset) => !isRead(since, offset) };
  const drawn = rows(items, { ...how, dayOf: (time) => new Date(time * 1000).toDateString() });
  return html`
    <div class="log-frame">
      <div
        class="log room-log"
        id="log"
        ref=${box}
        role="log"
        aria-label=${`Messages of #${room.about.value?.name ?? room.id}`}
        aria-live=${room.status.value === "ready" && !away.value ? "polite" : "off"}
        aria-relevant="additions"
        aria-busy=${String(room.live.value.length > 0)}
        tabindex="0"
      >
        <div class="column" ref=${content}>
          ${room.earlier.value !== "none" && html`<p class="earlier">Reading what was said before</p>`}
          ${drawn.map((row) => {
            if (row.kind === "day") return html`<${Day} key=${row.key} time=${row.time} />`;
            if (row.kind === "since") return html`<${Since} key="since" room=${room} offset=${row.offset} />`;
            const { item, continued } = row;
            const found = openAt.value !== null && (item.offset === openAt.value || idOf(item) === openAt.value);
            if (item.kind === "notice") return html`<${NoticeLine} key=${row.key} item=${item} />`;
            if (item.kind === "answer") return html`<${RoomAnswer} key=${row.key} ...${{ room, item, may, found }} />`;
            return html`<${RoomMessage} key=${row.key} ...${{ room, item, continued, may, found }} />`;
          })}
          ${letters.map((letter) => html`<${RoomPending} key=${letter.key} room=${room} letter=${letter} />`)}
          <${State} room=${room} empty=${!items.some(({ kind }) => kind !== "notice") && letters.length === 0} />
        </div>
      </div>
      <${Typists} room=${room} />
      ${
        away.value &&
        html`
          <button type="button" class="jump" onClick=${() => ((away.value = false), toEnd(box.current))}>
            <${Icon} name="chevrons-down" />Jump to latest${fresh > 0 && ` (${fresh} new)`}
          </button>
        `
      }
    </div>
  `;
}

/** Whether one may write here. @param {Room} room */
export function useMay(room) {
  const { role, about } = room;
  return (role.value === "owner" || role.value === "member") && !about.value?.archived;
}

/** @param {{time: number}} props */
const Day = ({ time }) => html`<p class="day"><span>${dayName(time)}</span></p>`;

/** The tide line: above it everything was read. @param {{room: Room, offset: string}} props */
function Since({ room, offset }) {
  const time = room.timeOf(offset);
  return html`
    <p class="since" id="since">
      <i /><b>New${time !== null && ` since ${clockTime(time)}`}</b><i /><code>${offset}</code>
    </p>
  `;
}

/** What there is to say where nothing is said. @param {{room: Room, empty: boolean}} props */
function State({ room, empty }) {
  if (room.status.value === "loading") return html`<p class="reading">Reading the room</p>`;
  if (!empty) return null;
  return html`
    <div class="room-empty">
      <h2>Nothing was said here yet.</h2>
      <p>What is written here stays in the log of <code>${room.topic}</code>.</p>
    </div>
  `;
}

/** Who types, or thinks; the line keeps its room, so that nothing moves. @param {{room: Room}} props */
function Typists({ room }) {
  const first = (/** @type {string} */ name) => name.split(/\s+/)[0];
  const thinking = room.live.value.flatMap((id) => {
    const run = runSignal(id).value;
    return run.state === "waiting" ? [titleOf(run.assistant)] : [];
  });
  const names = [...room.typing.value.map(first), ...thinking];
  if (names.length === 0) return html`<p class="typing" aria-hidden="true" />`;
  const who =
    names.length > 3
      ? `${names.length}${thinking.length === 0 ? " people" : ""}`
      : names.join(", ").replace(/, ([^,]*)$/, " and $1");
  return html`<p class="typing"><i /><i /><i />${who} ${names.length === 1 ? "is" : "are"} typing</p>`;
}

/**
 * How many messages of others came since one scrolled up.
 * @param {Room} room
 * @param {import("@preact/signals").Signal<boolean>} away
 */
function useFresh(room, away) {
  const seen = useRef("");
  if (!away.value) seen.current = room.position.value;
  const me = session.value?.name ?? "";
  return room.items.value.filter((item) => {
    const id = item.kind === "notice" || authorOf(item) === me ? null : idOf(item);
    return id !== null && seen.current !== "" && !isRead(seen.current, id);
  }).length;
}

/**
 * What one looks at stays where it is while an earlier page comes in above it.
 * @param {Ref} content
 * @param {Ref} box
 * @param {string} first the key of the first item
 */
function usePlace(content, box, first) {
  const held = useRef({ first: "", at: /** @type {Element | null} */ (null), top: 0 });
  if (held.current.first !== first) {
    const at = content.current?.querySelector("[data-offset]") ?? null;
    held.current = { first, at, top: at?.getBoundingClientRect().top ?? 0 };
  }
  useLayoutEffect(() => {
    const { at, top } = held.current;
    if (at?.isConnected && box.current) box.current.scrollTop += at.getBoundingClientRect().top - top;
  }, [first]);
}

/**
 * Whether all that was read is drawn: not before what the screen shows was painted, unless one comes to something above.
 * @param {Room} room
 */
function useWhole(room) {
  const [painted, setPainted] = useState(false);
  const { items, since, status, earlier } = room;
  const ready = status.value === "ready";
  useEffect(() => {
    if (!ready || painted) return;
    const later = setTimeout(() => setPainted(true), LATER);
    return () => clearTimeout(later);
  }, [ready, painted]);
  const [first, cut] = [items.value[0], items.value.at(-FIRST)];
  if (painted || !cut || openAt.value !== null) return true;
  return !isRead(since.value, cut.offset) && (earlier.value === "none" || isRead(since.value, first.offset));
}

/**
 * @param {Room} room
 * @param {Ref} box
 * @param {import("@preact/signals").Signal<boolean>} away
 * @param {boolean} whole
 */
function useEarlier(room, box, away, whole) {
  const some = room.earlier.value === "some" && whole;
  useEffect(() => {
    const frame = box.current;
    if (!frame || !some) return;
    const look = () => {
      if (frame.scrollTop < EARLY) void room.before();
    };
    look();
    frame.addEventListener("scroll", look, { passive: true });
    return () => frame.removeEventListener("scroll", look);
  }, [some, room.items.value, away.value]);
}

/**
 * One comes to the message that was looked for, or to the line above what is new, or to the end.
 * @param {Room} room
 * @param {Ref} box
 * @param {import("@preact/signals").Signal<boolean>} away
 */
function useArrival(room, box, away) {
  const ready = room.status.value === "ready";
  const at = openAt.value;
  useEffect(() => {
    if (!ready || at !== null) return;
    const [line, frame] = [document.getElementById("since"), box.current];
    if (!line || !frame) return;
    toEnd(frame);
    if (line.getBoundingClientRect().top >= frame.getBoundingClientRect().top) return;
    away.value = true;
    line.scrollIntoView({ block: "start" });
  }, [ready, room.visits.value]);
  useEffect(() => {
    if (!ready || at === null) return;
    away.value = true;
    void room.reach(at).then((is) => {
      if (!is || openAt.value !== at) return;
      requestAnimationFrame(() => {
        const found = /** @type {HTMLElement | null} */ (
          box.current?.querySelector(`[data-offset="${CSS.escape(at)}"]`)
        );
        away.value = true; // coming to the end before may have said otherwise
        found?.scrollIntoView({ block: "center" });
        found?.focus({ preventScroll: true });
      });
    });
  }, [ready, at]);
}

/** What is at the end and seen is read, for all tabs and devices. @param {Room} room @param {import("@preact/signals").Signal<boolean>} away */
function useMarking(room, away) {
  const end = !away.value && room.status.value === "ready";
  const position = room.position.value;
  useEffect(() => {
    if (!end) return;
    const look = () => {
      if (!document.hidden && !away.value) void room.mark();
    };
    room.onMarked = look;
    look();
    document.addEventListener("visibilitychange", look);
    return () => {
      room.onMarked = () => {};
      document.removeEventListener("visibilitychange", look);
    };
  }, [end, position, room.read.value, standing.value]);
}

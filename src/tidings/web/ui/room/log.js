import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { serve } from "../answer/embedded-controls.js";
import { runSignal } from "../answer/state.js";
import { connectionStatus } from "../connection/state.js";
import { toEnd, useFollowing } from "../kit/following.js";
import { focusComposer } from "../kit/composer.js";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { openAt } from "../page/address.js";
import { draft, write } from "../page/drafts.js";
import { dialog } from "../page/layout.js";
import { titleOf } from "../session/state.js";
import { clockTime, dayName, time } from "../text/format.js";
import { trouble } from "./actions-state.js";
import { RoomAnswer } from "./answer.js";
import { idOf } from "./fold.js";
import { letRead, markRead } from "./marker-state.js";
import { RoomMessage } from "./message.js";
import { NoticeLine } from "./notice.js";
import { unseen, written } from "./outbox-state.js";
import { RoomPending } from "./pending.js";
import { rows } from "./rows-fold.js";
import { roomTitle } from "./shown-state.js";
import { useVisibleRange } from "./visible-range.js";

/** @typedef {import("./state.js").Room} Room */
/** @typedef {import("preact").RefObject<HTMLElement | null>} Ref */

/**
 * The messages of a room. The log stays at the end until the reader scrolls up, and then reads earlier pages.
 * @param {{room: Room}} props
 */
export function RoomLog({ room }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const content = useRef(/** @type {HTMLElement | null} */ (null));
  const away = useSignal(false);
  const drawn = useVisibleRange(room, box, content, away);
  const { items, before, line } = drawn;
  const may = useMayPost(room);
  const waiting = drawn.end ? unseen(room) : [];
  const fresh = useNewCount(room, away);
  const stop = useTabStop(items);
  useFollowing(box, content, away, room.id, () => drawn.end);
  useArrival(room, box, away, drawn);
  useMarking(room, away);
  const walk = useWalk(content, drawn);
  useEffect(() => serve(/** @type {HTMLElement} */ (box.current)), []);
  const dayOf = (/** @type {number} */ time) => new Date(time * 1000).toDateString();
  const toLatest = () => {
    away.value = false;
    if (drawn.end) toEnd(box.current);
    else drawn.goToEnd();
  };
  useOwnMessages(() => {
    room.since.value = null; // who writes has read what was new
    letRead(room);
    toLatest();
  });
  return html`
    <div class="log-frame">
      <div
        class="log room-log"
        id="log"
        ref=${box}
        role="log"
        aria-label=${`Messages of ${roomTitle(room)}`}
        aria-live=${drawn.settled && !away.value ? "polite" : "off"}
        aria-relevant="additions"
        aria-busy=${String(room.live.value.length > 0)}
        tabindex="0"
      >
        <div class="column" ref=${content} onFocusIn=${stop.come} onKeyDown=${walk}>
          ${!drawn.top && html`<p class="earlier">Loading earlier messages</p>`}
          ${rows(items, { before, line, dayOf }).map((row) => {
            if (row.kind === "day") return html`<${Day} key=${row.key} time=${row.time} />`;
            if (row.kind === "since") return html`<${Since} key="since" room=${room} />`;
            const { item, continued } = row;
            if (item.kind === "notice") return html`<${NoticeLine} key=${row.key} item=${item} />`;
            const props = { room, item, may, found: isAt(item, openAt.value), stop: row.key === stop.key };
            if (item.kind === "answer") return html`<${RoomAnswer} key=${row.key} ...${props} />`;
            return html`<${RoomMessage} key=${row.key} ...${props} continued=${continued} />`;
          })}
          ${waiting.map((pending) => html`<${RoomPending} key=${pending.key} room=${room} pending=${pending} />`)}
          <${State} room=${room} empty=${drawn.top && stop.key === undefined && waiting.length === 0} />
        </div>
      </div>
      <${Typists} room=${room} />
      <${Back} room=${room} />
      ${
        away.value &&
        html`
          <button type="button" class="jump" onClick=${toLatest}>
            <${Icon} name="chevrons-down" />Jump to latest${fresh > 0 && ` (${fresh} new)`}
          </button>
        `
      }
    </div>
  `;
}

/** Check if the person may post here. @param {Room} room */
export function useMayPost(room) {
  const { role, about } = room;
  return (role.value === "owner" || role.value === "member") && !about.value?.archived;
}

/** @param {{time: number}} props */
const Day = ({ time }) => html`<p class="day"><span>${dayName(time)}</span></p>`;

/** The line above the first new message. @param {{room: Room}} props */
function Since({ room }) {
  const offset = /** @type {string} */ (room.since.value);
  const time = room.timeOf(offset);
  return html`
    <p class="since" id="since">
      <i /><b>New${time !== null && ` since ${clockTime(time)}`}</b><i /><code>${offset}</code>
    </p>
  `;
}

/** The state of a room without messages. @param {{room: Room, empty: boolean}} props */
function State({ room, empty }) {
  if (room.status.value === "loading") return html`<p class="reading">Loading messages</p>`;
  if (!empty) return null;
  return html`
    <div class="room-empty">
      <h2>No messages yet.</h2>
      <p>Say hello, or ask @assistant.</p>
      <${Begin} room=${room} />
    </div>
  `;
}

/** Ways to begin in an empty room. @param {{room: Room}} props */
function Begin({ room }) {
  if (!useMayPost(room)) return null;
  const ask = () => {
    if (!draft.value) write("@assistant ");
    focusComposer();
  };
  return html`
    <div class="ways">
      ${
        room.role.value === "owner" &&
        html`<button type="button" class="button" onClick=${() => (dialog.value = { kind: "room-invite" })}>
          <${Icon} name="user-plus" />Invite people
        </button>`
      }
      <button type="button" class="button" onClick=${ask}><${Icon} name="message-square" />Ask @assistant</button>
    </div>
  `;
}

/** The progress of reading back to a message, and a button that stops it. @param {{room: Room}} props */
function Back({ room }) {
  const at = room.back.value;
  if (at === null) return null;
  return html`
    <p class="back">
      <span role="status">Loading older messages, now at</span>
      <time>${time(at)}</time>
      <button type="button" class="link" onClick=${() => (room.back.value = null)}>Stop</button>
    </p>
  `;
}

/** The people and assistants who are typing. The line keeps its height, so that nothing moves. @param {{room: Room}} props */
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
  return html`<p class="typing"><i /><i /><i /><span>${who} ${names.length === 1 ? "is" : "are"} typing</span></p>`;
}

/**
 * The number of messages of others since the reader scrolled up.
 * @param {Room} room
 * @param {import("@preact/signals").Signal<boolean>} away
 */
function useNewCount(room, away) {
  const seen = useRef("");
  if (!away.value) seen.current = room.position.value;
  return seen.current === "" ? 0 : room.newsSince(seen.current);
}

/** Scroll to the end after the person has posted a message. @param {() => void} toLatest */
function useOwnMessages(toLatest) {
  const before = useRef(written.value);
  useEffect(() => {
    if (before.current === written.value) return;
    before.current = written.value;
    toLatest();
  }, [written.value]);
}

/**
 * The one message that the Tab key reaches: the one that last had the focus, else the last one.
 * @param {readonly import("./fold.js").Item[]} items
 */
function useTabStop(items) {
  const last = useSignal("");
  const key = items.findLast((item) => item.key === last.value) ?? items.findLast(({ kind }) => kind !== "notice");
  const come = (/** @type {FocusEvent} */ event) => {
    const at = /** @type {Element} */ (event.target).closest("[data-offset]")?.getAttribute("data-offset");
    last.value = items.find((item) => isAt(item, at ?? null))?.key ?? last.value;
  };
  return { key: key?.key, come };
}

/**
 * Move between messages with the arrow keys, also to those that are not drawn yet: keys may come faster than frames.
 * @param {Ref} content
 * @param {ReturnType<typeof useVisibleRange>} drawn
 */
function useWalk(content, drawn) {
  const later = useRef(0);
  const walk = (/** @type {number} */ step) => {
    const all = [...(content.current?.querySelectorAll("article[data-offset]") ?? [])];
    const at = all.indexOf(/** @type {Element} */ (document.activeElement));
    const next = /** @type {HTMLElement | undefined} */ (at < 0 ? undefined : all[at + step]);
    next?.focus();
    return next !== undefined;
  };
  useLayoutEffect(() => {
    const step = later.current;
    later.current = 0;
    if (step) walk(step);
  });
  return (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || !(/** @type {Element} */ (event.target).matches("article[data-offset]"))) return;
    if (!walk(step)) {
      if (!drawn.extend(step)) return;
      later.current = step;
    }
    event.preventDefault();
  };
}

/** Check if an offset belongs to an item. @param {import("./fold.js").Item} item @param {string | null} at */
const isAt = (item, at) => at !== null && (item.offset === at || idOf(item) === at);

/**
 * Scroll to the searched message, else to the first unread, else to the end.
 * @param {Room} room
 * @param {Ref} box
 * @param {import("@preact/signals").Signal<boolean>} away
 * @param {ReturnType<typeof useVisibleRange>} drawn
 */
function useArrival(room, box, away, drawn) {
  const ready = room.status.value === "ready";
  const at = openAt.value;
  useEffect(() => {
    if (!ready || at !== null) return;
    const [line, frame] = [document.getElementById("since"), box.current];
    if (!line || !frame) return;
    if (drawn.end) toEnd(frame);
    if (drawn.end && line.getBoundingClientRect().top >= frame.getBoundingClientRect().top) return;
    away.value = true;
    line.scrollIntoView({ block: "start" });
  }, [ready, room.visits.value]);
  useEffect(() => {
    if (!ready || at === null) return;
    const before = away.value;
    away.value = true;
    void room.reach(at).then((place) => {
      if (openAt.value !== at) return;
      if (place === -1) trouble.value = "Message not found. It may have been deleted, or the link is incomplete.";
      if (place === null || place < 0) {
        // A log that was just opened may not have been at its end yet.
        if (!(away.value = before)) toEnd(box.current);
        return;
      }
      drawn.goTo(place);
      requestAnimationFrame(() => {
        const found = /** @type {HTMLElement | null} */ (
          box.current?.querySelector(`[data-offset="${CSS.escape(at)}"]`)
        );
        away.value = true; // an earlier scroll to the end may have reset it
        found?.scrollIntoView({ block: "center" });
        found?.focus({ preventScroll: true });
      });
    });
  }, [ready, at]);
}

/** Mark the room read, for all tabs and devices, while its end is visible. @param {Room} room @param {import("@preact/signals").Signal<boolean>} away */
function useMarking(room, away) {
  const end = !away.value && room.status.value === "ready";
  const position = room.position.value;
  useEffect(() => {
    if (!end) return;
    const look = () => {
      if (!left && !document.hidden && !away.value) void markRead(room, look);
    };
    let left = false;
    look();
    document.addEventListener("visibilitychange", look);
    return () => {
      left = true;
      document.removeEventListener("visibilitychange", look);
    };
  }, [end, position, room.read.value, connectionStatus.value]);
}

import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { ConversationItem, List } from "../conversation/list.js";
import { conversations, pins } from "../conversation/list-state.js";
import { html, inPage } from "../kit/html.js";
import { waiting } from "../kit/lazy.js";
import { Icon } from "../kit/icon.js";
import { Section } from "../kit/section.js";
import { goAlert, goDashboard, open, openAlert, openDashboard, openRoom } from "../page/address.js";
import { serverRoot } from "../page/root.js";
import { DirectList, RoomItem, RoomList } from "../room/list.js";
import { rooms, summary } from "../rooms/state.js";

const ProcessSection = waiting("ProcessSection");

/**
 * The sections of the side bar: what is pinned, rooms, conversations, processes, and the ways to dashboards and alerts.
 * The open item stays in view.
 */
export function Sections() {
  const root = useRef(/** @type {HTMLElement | null} */ (null));
  const here = openRoom.value ?? open.value;
  const drawn = here !== null && (summary(here) !== null || conversations.value.some(({ id }) => id === here));
  useLayoutEffect(() => {
    if (drawn) root.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  }, [here, drawn]);
  return html`
    <div class="sections-frame">
      <nav class="sections" aria-label="Rooms and conversations" ref=${root} onKeyDown=${walk}>
        <${Pinned} />
        <${RoomList} />
        <${DirectList} />
        <${List} />
        <${ProcessSection} />
        <${Watching} />
      </nav>
      <${OutOfView} root=${root} />
    </div>
  `;
}

/** The ways to dashboards and alerts, whose lists are loaded when they are opened. */
const Watching = () => html`
  <div class="section">
    <${Way} path="d" icon="layout-dashboard" name="Dashboards" open=${openDashboard.value !== null} go=${goDashboard} />
    <${Way} path="a" icon="gauge" name="Alerts" open=${openAlert.value !== null} go=${goAlert} />
  </div>
`;

/** @param {{path: string, icon: string, name: string, open: boolean, go: (id: string) => void}} props */
const Way = ({ path, icon, name, open, go }) => html`
  <div class="item">
    <a href=${`${serverRoot}${path}`} aria-current=${open ? "page" : undefined} onClick=${inPage(() => go(""))}>
      <${Icon} name=${icon} /><span>${name}</span>
    </a>
  </div>
`;

/** Rooms and conversations that the person has pinned. Those that cannot be read any more are left out. */
function Pinned() {
  const items = pins.value.flatMap((topic) => {
    const [, kind, id] = /^(rooms|conversations)\.(.+)$/.exec(topic) ?? [];
    const room = kind === "rooms" ? summary(id) : null;
    if (room) return [html`<li key=${topic}><${RoomItem} room=${room} /></li>`];
    const item = kind === "conversations" ? conversations.value.find((one) => one.id === id) : null;
    return item ? [html`<li key=${topic}><${ConversationItem} ...${item} /></li>`] : [];
  });
  if (items.length === 0) return null;
  return html`<${Section} name="Pinned"
    >${(/** @type {boolean} */ folded) =>
      !folded &&
      html`<ul>
        ${items}
      </ul>`}<//
  >`;
}

/** The number of unread rooms above and below the visible part of the list. @param {{root: import("preact").RefObject<HTMLElement | null>}} props */
function OutOfView({ root }) {
  const above = useSignal(0);
  const below = useSignal(0);
  const look = () => {
    const frame = root.current;
    if (!frame) return;
    const { top, bottom } = frame.getBoundingClientRect();
    const places = [...frame.querySelectorAll(".item.unread")].map((item) => item.getBoundingClientRect());
    above.value = places.filter((place) => place.bottom <= top + 8).length;
    below.value = places.filter((place) => place.top >= bottom - 8).length;
  };
  useEffect(() => {
    const frame = /** @type {HTMLElement} */ (root.current);
    const sizes = new ResizeObserver(look);
    sizes.observe(frame);
    frame.addEventListener("scroll", look, { passive: true });
    return () => {
      sizes.disconnect();
      frame.removeEventListener("scroll", look);
    };
  }, []);
  useEffect(look, [rooms.value, pins.value, conversations.value, openRoom.value]);
  const show = (/** @type {"above" | "below"} */ side) => () => {
    const frame = /** @type {HTMLElement} */ (root.current);
    const { top, bottom } = frame.getBoundingClientRect();
    const items = [...frame.querySelectorAll(".item.unread")];
    const next =
      side === "above"
        ? items.findLast((item) => item.getBoundingClientRect().bottom <= top + 8)
        : items.find((item) => item.getBoundingClientRect().top >= bottom - 8);
    next?.scrollIntoView({ block: "center" });
    /** @type {HTMLElement | null | undefined} */ (next?.querySelector("a"))?.focus({ preventScroll: true });
  };
  return html`
    ${
      above.value > 0 &&
      html`<button type="button" class="out-of-view above" onClick=${show("above")}>
        <${Icon} name="arrow-up" size=${14} />${above.value} unread above
      </button>`
    }
    ${
      below.value > 0 &&
      html`<button type="button" class="out-of-view below" onClick=${show("below")}>
        <${Icon} name="chevrons-down" size=${14} />${below.value} unread below
      </button>`
    }
  `;
}

/** Move between the items with the arrow keys. @param {KeyboardEvent} event */
function walk(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const at = /** @type {HTMLElement} */ (event.target);
  if (!step || !at.matches(".item > a")) return;
  event.preventDefault();
  const all = [.../** @type {Element} */ (event.currentTarget).querySelectorAll(".item > a")];
  /** @type {HTMLElement | undefined} */ (all[all.indexOf(at) + step])?.focus();
}

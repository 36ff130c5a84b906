import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { IconButton } from "../kit/button.js";
import { html, inPage } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { useOverlay } from "../kit/overlay.js";
import { signingIn, wide } from "../page/layout.js";
import { userTopic } from "../session/state.js";
import { brief, clockTime, dayName, fullTime } from "../text/format.js";
import { countOf } from "./bell.js";
import { desktop, turnOff, turnOn } from "./desktop-state.js";
import { Quiet } from "./do-not-disturb.js";
import {
  centreOpen,
  iconOf,
  isMuted,
  markAllRead,
  markRead,
  mute,
  notifications,
  open,
  refused,
  unmute,
  unread,
  urlOf,
} from "./state.js";

/** @typedef {import("./state.js").Notification} Notification */
/** @typedef {"all" | "unread" | "mentions"} Shown */

/** @type {Record<Shown, {label: string, keeps: (item: Notification) => boolean, none: string}>} */
const FILTERS = {
  all: {
    label: "All",
    keeps: () => true,
    none: "No notifications yet. Mentions, replies and finished answers appear here.",
  },
  unread: { label: "Unread", keeps: (item) => !item.read, none: "No unread notifications." },
  mentions: {
    label: "Mentions",
    keeps: ({ kind }) => kind === "mention" || kind === "everyone",
    none: "No mentions yet.",
  },
};

/** The notification centre: all notifications, by day. A column on a wide page, else a sheet over it. */
export function Centre() {
  const root = useRef(/** @type {HTMLElement | null} */ (null));
  const close = () => {
    centreOpen.value = false;
    /** @type {HTMLElement | null} */ (document.querySelector(".bell"))?.focus();
  };
  useOverlay(root, centreOpen.value && !wide.value, close);
  if (!centreOpen.value) return null;
  const keys = (/** @type {KeyboardEvent} */ event) => event.key === "Escape" && wide.value && close();
  return html`
    ${!wide.value && html`<div class="scrim" onClick=${close} />`}
    <aside class="centre" id="centre" aria-label="Notifications" ref=${root} onKeyDown=${keys}>
      <header>
        <h2>Notifications</h2>
        ${
          userTopic.value &&
          html`
            <${IconButton}
              icon="check-check"
              label="Mark all as read"
              aria-disabled=${String(unread.value === 0)}
              onClick=${() => unread.value > 0 && markAllRead()}
            />
            <${Quiet} />
          `
        }
        <${IconButton} icon="x" label="Close notifications" onClick=${close} />
      </header>
      ${userTopic.value ? html`<${List} />` : html`<${Nameless} />`}
      <${Desktop} />
    </aside>
  `;
}

const Nameless = () => html`
  <div class="notices no-notices">
    <p>Choose a name to get notifications.</p>
    <button type="button" class="button" onClick=${() => (signingIn.value = true)}>Choose a name</button>
  </div>
`;

function List() {
  const shown = useSignal(/** @type {Shown} */ ("all"));
  const { items } = notifications.value;
  const filter = FILTERS[shown.value];
  /** @type {Record<Shown, number>} */
  const counts = {
    all: 0,
    unread: unread.value,
    mentions: items.filter(({ kind, read }) => (kind === "mention" || kind === "everyone") && !read).length,
  };
  const kept = items.filter(filter.keeps);
  const days = byDay(kept);
  return html`
    <div class="filter" role="group" aria-label="Show">
      ${
        /** @type {Shown[]} */ (Object.keys(FILTERS)).map(
          (name) => html`
            <button type="button" aria-pressed=${String(name === shown.value)} onClick=${() => (shown.value = name)}>
              ${FILTERS[name].label} ${counts[name] > 0 && html`<span>${countOf(counts[name])}</span>`}
            </button>
          `,
        )
      }
    </div>
    <div class="notices" tabindex="0" role="region" aria-label=${filter.label}>
      ${refused.value && html`<p class="no-notices">${refused.value}</p>`}
      ${!refused.value && kept.length === 0 && html`<p class="no-notices">${filter.none}</p>`}
      ${[...days].map(
        ([day, items]) => html`
          <section key=${day} aria-label=${day}>
            <h3>${day}</h3>
            <ul>
              ${items.map((item) => html`<${Row} key=${item.offset} item=${item} />`)}
            </ul>
          </section>
        `,
      )}
    </div>
  `;
}

/** @param {Notification[]} items @returns {Map<string, Notification[]>} */
function byDay(items) {
  const days = new Map();
  for (const item of items) {
    const day = dayName(item.time);
    days.set(day, [...(days.get(day) ?? []), item]);
  }
  return days;
}

/** @param {{item: Notification}} props */
function Row({ item }) {
  const { title, text, time, read, topic, offset } = item;
  const [icon, tone] = iconOf(item);
  const url = urlOf(item.link);
  const body = html`
    <${Icon} name=${icon} class=${tone} />
    <div class="told">
      <p class="title">${title}</p>
      ${text && html`<p class="text">${brief(text)}</p>`}
    </div>
    <div class="when">
      <time datetime=${new Date(time * 1000).toISOString()} title=${fullTime(time)}>${clockTime(time)}</time>
      ${!read && html`<i class="dot" role="img" aria-label="unread" />`}
    </div>
  `;
  const pick = inPage(() => {
    if (!wide.value) centreOpen.value = false;
    open(item);
  });
  const muted = topic !== null && isMuted(topic);
  return html`
    <li class=${read ? "notice" : "notice unread"}>
      ${
        url
          ? html`<a href=${url.href} rel="noopener" onClick=${pick}>${body}</a>`
          : html`<button type="button" onClick=${() => open(item)}>${body}</button>`
      }
      <div class="notice-actions">
        ${!read && html`<${IconButton} icon="check" label="Mark as read" size=${16} onClick=${() => markRead([offset])} />`}
        ${
          topic &&
          html`<${IconButton}
            icon=${muted ? "bell" : "bell-off"}
            label=${muted ? "Unmute" : "Mute"}
            size=${16}
            onClick=${() => (muted ? unmute(topic) : mute(topic))}
          />`
        }
      </div>
    </li>
  `;
}

const DESKTOP = {
  insecure: "Desktop notifications need https or this machine. Here they stay off.",
  missing: "This browser does not support desktop notifications.",
  apart: "Desktop notifications need a newer browser. Here they stay off.",
  denied: "Desktop notifications are blocked. Allow them in your browser's settings for this site.",
  off: "Desktop notifications are off.",
  on: "Desktop notifications are on.",
};

function Desktop() {
  const state = desktop.value;
  return html`
    <footer>
      <${Icon} name="monitor" />
      <p role="status">${DESKTOP[state]}</p>
      ${state === "off" && html`<button type="button" class="button" onClick=${turnOn}>Turn on</button>`}
      ${state === "on" && html`<button type="button" class="button" onClick=${turnOff}>Turn off</button>`}
    </footer>
  `;
}

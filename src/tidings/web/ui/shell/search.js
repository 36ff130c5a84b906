import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { textOf } from "../answer/fold.js";
import { runSignal } from "../answer/state.js";
import { conversations } from "../conversation/list-state.js";
import { read } from "../conversation/state.js";
import { Modal, close } from "../kit/dialog.js";
import { html, valueOf } from "../kit/html.js";
import { composes } from "../kit/keys.js";
import { Icon } from "../kit/icon.js";
import { go, goRoom, open, openRoom } from "../page/address.js";
import { joined, rooms, summary } from "../rooms/state.js";
import { titleOf } from "../session/state.js";
import { time } from "../text/format.js";
import { searchRooms } from "./search-state.js";

/**
 * @typedef {object} Hit
 * @property {string} key
 * @property {string} icon
 * @property {any} text
 * @property {string} [about]
 * @property {boolean} [here] it is open already
 * @property {() => void} pick
 */

/** The most hits of one kind. */
const MOST = 8;
/** Characters before the searched words. */
const BEFORE = 30;
/** Milliseconds without a key after which the server is asked. */
const PAUSE = 150;

/**
 * The search dialog: rooms and their messages, titles of conversations, and the texts of those this tab has read.
 * @param {{room: string | null}} props `room`: search only this room
 */
export function Palette({ room }) {
  const sought = useSignal("");
  const at = useSignal(0);
  const { said, wrong } = useSaid(sought.value.trim(), room);
  const low = sought.value.trim().toLowerCase();
  const hits = room ? said : [...roomsFor(low), ...conversationsFor(low), ...said];
  const active = Math.min(at.value, hits.length - 1);
  const name = room ? `#${summary(room)?.name ?? room}` : "";
  const label = room ? `Search in ${name}` : "Search rooms and conversations";
  const pick = (/** @type {Hit} */ hit) => (close(), hit.pick());
  const keys = (/** @type {KeyboardEvent} */ event) => {
    if (composes(event)) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && hits.length > 0) {
      event.preventDefault();
      at.value = (active + step + hits.length) % hits.length;
      document.getElementById(`hit-${at.value}`)?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter" && hits[active]) {
      event.preventDefault();
      pick(hits[active]);
    }
  };
  return html`
    <${Modal} title="Search" wide bare>
      <div class="palette">
        <label class="sought">
          <${Icon} name="search" />
          <input
            type="text"
            role="combobox"
            aria-label=${label}
            aria-expanded="true"
            aria-controls="hits"
            aria-autocomplete="list"
            aria-activedescendant=${hits.length > 0 ? `hit-${active}` : undefined}
            placeholder=${label}
            autocomplete="off"
            data-first
            onInput=${(/** @type {Event} */ event) => ((sought.value = valueOf(event)), (at.value = 0))}
            onKeyDown=${keys}
          />
          <kbd>Esc</kbd>
        </label>
        <ul id="hits" role="listbox" aria-label="Found">
          ${hits.map(
            (hit, n) => html`
              <li
                key=${hit.key}
                id=${`hit-${n}`}
                role="option"
                aria-selected=${String(n === active)}
                onClick=${() => pick(hit)}
                onPointerMove=${() => (at.value = n)}
              >
                <${Icon} name=${hit.icon} />
                <div><span>${hit.text}</span>${hit.about && html`<small>${hit.about}</small>`}</div>
                ${hit.here && html`<small>open</small>`}
              </li>
            `,
          )}
        </ul>
        ${hits.length === 0 && html`<p class="none">${wrong || nothing(low, room)}</p>`}
      </div>
    <//>
  `;
}

/** @param {string} sought @param {string | null} room */
function nothing(sought, room) {
  if (sought) return "No results.";
  return room ? 'Search messages and file names. Use "quotes" for an exact phrase.' : "No conversations yet.";
}

/**
 * The server's hits in rooms, asked for when the person pauses.
 * @param {string} sought
 * @param {string | null} room
 */
function useSaid(sought, room) {
  /** @type {import("@preact/signals").Signal<{said: Hit[], wrong: string}>} */
  const found = useSignal(/** @type {{said: Hit[], wrong: string}} */ ({ said: [], wrong: "" }));
  useEffect(() => {
    let left = false;
    const timer = setTimeout(async () => {
      try {
        const hits = sought.length > 1 ? await searchRooms(sought, room) : [];
        if (!left) found.value = { said: hits.map(hitOf), wrong: "" };
      } catch (error) {
        if (!left) found.value = { said: [], wrong: /** @type {Error} */ (error).message };
      }
    }, PAUSE);
    return () => {
      left = true;
      clearTimeout(timer);
    };
  }, [sought, room]);
  return found.value;
}

/** @param {import("./search-state.js").Hit} hit @returns {Hit} */
function hitOf({ room, offset, by, assistant, time: at, text, marks }) {
  const who = by || titleOf(assistant);
  return {
    key: `${room}-${offset}`,
    icon: "hash",
    text: marked(text, marks),
    about: `${who} in #${summary(room)?.name ?? room} \u00b7 ${time(at)}`,
    pick: () => goRoom(room, offset),
  };
}

/** A text with its marks, cut so that the first mark is visible. @param {string} text @param {[number, number][]} marks */
function marked(text, marks) {
  const first = marks[0]?.[0] ?? 0;
  let at = first > BEFORE ? first - BEFORE : 0;
  const start = at > 0 ? "\u2026" : "";
  const parts = marks.flatMap(([from, to]) => {
    const before = text.slice(at, from);
    at = to;
    return [before, html`<mark>${text.slice(from, to)}</mark>`];
  });
  return [start, ...parts, text.slice(at)];
}

/** @param {string} sought in lower case @returns {Hit[]} */
function roomsFor(sought) {
  const all = sought ? rooms.value : joined(rooms.value);
  const found = all.filter(({ name, about }) => `${name} ${about}`.toLowerCase().includes(sought));
  return found.slice(0, MOST).map(({ id, name, about, archived, private: hidden }) => ({
    key: `room-${id}`,
    icon: archived ? "archive" : hidden ? "lock" : "hash",
    text: name,
    about,
    here: openRoom.value === id,
    pick: () => goRoom(id),
  }));
}

/** @param {string} sought in lower case @returns {Hit[]} */
function conversationsFor(sought) {
  const icon = "message-square";
  const titles = conversations.value.filter(({ title }) => title.toLowerCase().includes(sought));
  /** @type {Hit[]} */
  const hits = titles.map(({ id, title }) => ({
    key: id,
    icon,
    text: title,
    here: id === open.value,
    pick: () => go(id),
  }));
  if (!sought) return hits.slice(0, MOST);
  for (const conversation of read()) {
    const title = conversations.value.find(({ id }) => id === conversation.id)?.title;
    for (const turn of title ? conversation.turns.value : []) {
      const { question, run } = conversation.shown(turn);
      const text = [question, textOf(runSignal(run).value)].find((text) => text.toLowerCase().includes(sought));
      if (!text || text === title) continue;
      hits.push({
        key: run,
        icon,
        text: excerpt(text, sought),
        about: title,
        here: conversation.id === open.value,
        pick: () => show(conversation.id, run),
      });
    }
  }
  return hits.slice(0, MOST);
}

/** @param {string} conversation @param {string} run */
function show(conversation, run) {
  go(conversation);
  requestAnimationFrame(() => document.querySelector(`[data-run="${run}"]`)?.scrollIntoView({ block: "start" }));
}

/** @param {string} text @param {string} sought */
function excerpt(text, sought) {
  const at = text.toLowerCase().indexOf(sought);
  const from = Math.max(0, at - BEFORE);
  return (from > 0 ? "\u2026" : "") + text.slice(from, at + sought.length + 60).replace(/\s+/g, " ");
}

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { conversations, titled } from "../conversation/list-state.js";
import { SearchField, useCombobox } from "../kit/combobox.js";
import { Modal, close } from "../kit/dialog.js";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { go, goRoom, open, openProcess, openRoom } from "../page/address.js";
import { openDirect } from "../room/actions-state.js";
import { goProcess, processes } from "../processes/state.js";
import { signOf } from "../room/header.js";
import { signed } from "../rooms/fold.js";
import { joined, rooms, summary } from "../rooms/state.js";
import { session, titleOf } from "../session/state.js";
import { time } from "../text/format.js";
import { refusedAs } from "../toasts/state.js";
import { commands } from "./commands.js";
import { search, searchPeople } from "./search-state.js";

/**
 * @typedef {object} Hit
 * @property {string} key
 * @property {string} icon
 * @property {any} text
 * @property {string} [about]
 * @property {string | null} [before] what was said before it
 * @property {string | null} [after] what was said after it
 * @property {boolean} [here] it is open already
 * @property {boolean} [stays] the dialog stays open when it is picked
 * @property {() => unknown} pick
 */

/** The most hits of one kind. */
const MOST = 8;
/** Characters before the searched words. */
const BEFORE = 30;
/** Milliseconds without a key after which the server is asked. */
const PAUSE = 150;
/** The beginning of a text that names a command. */
const COMMAND = ">";
/** The conditions that narrow a search, as people write them. */
const CONDITIONS = ["from:", "in:", "before:", "has:"];

/**
 * The search dialog: rooms, conversations, processes, people, commands, and what was said in rooms and conversations.
 * @param {{room: string | null}} props `room`: search only this room
 */
export function Palette({ room }) {
  const sought = useSignal("");
  const narrow = (/** @type {string} */ text) => {
    sought.value = text;
    combobox.restart();
    /** @type {HTMLElement | null} */ (document.querySelector(".sought input"))?.focus();
  };
  const { said, people, wrong } = useFound(sought.value.trim(), room, narrow);
  const low = sought.value.trim().toLowerCase();
  const hits = room
    ? said
    : low.startsWith(COMMAND)
      ? commandsFor(low.slice(1).trim(), "")
      : [
          ...roomsFor(low),
          ...conversationsFor(low),
          ...processesFor(low),
          ...people,
          ...(low ? commandsFor(low, "Command") : []),
          ...said,
        ];
  const take = (/** @type {number} */ n) => (hits[n].stays || close(), hits[n].pick());
  const combobox = useCombobox({ id: "hits", count: hits.length, onTake: take });
  const label = room ? `Search in ${nameOf(room)}` : "Search rooms and conversations";
  return html`
    <${Modal} title="Search" wide bare>
      <div class="palette">
        <${SearchField} combobox=${combobox} label=${label} text=${sought} />
        ${
          !low &&
          html`<div class="tips" role="group" aria-label="Narrow the search">
            ${[...CONDITIONS, ...(room ? [] : [COMMAND])].map(
              (text) =>
                html`<button type="button" class="button" onClick=${() => narrow(text)}>
                  ${text === COMMAND ? "> commands" : text}
                </button>`,
            )}
          </div>`
        }
        <ul ...${combobox.list} aria-label="Found">
          ${hits.map(
            (hit, n) => html`
              <li key=${hit.key} ...${combobox.option(n)}>
                <${Icon} name=${hit.icon} />
                <div>
                  ${hit.before && html`<small class="near">${hit.before}</small>`}
                  <span>${hit.text}</span>
                  ${hit.after && html`<small class="near">${hit.after}</small>`}
                  ${hit.about && html`<small>${hit.about}</small>`}
                </div>
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
 * The server's hits, asked for when the person pauses.
 * @param {string} sought
 * @param {string | null} room
 * @param {(text: string) => void} narrow searches for another text
 */
function useFound(sought, room, narrow) {
  /** @type {import("@preact/signals").Signal<{said: Hit[], people: Hit[], wrong: string}>} */
  const found = useSignal(
    /** @type {{said: Hit[], people: Hit[], wrong: string}} */ ({ said: [], people: [], wrong: "" }),
  );
  useEffect(() => {
    let left = false;
    const asks = sought.length > 1 && !sought.startsWith(COMMAND);
    const timer = setTimeout(async () => {
      try {
        const names = asks && !room && !sought.includes(":") && session.value?.name ? searchPeople(sought) : [];
        const [hits, people] = await Promise.all([asks ? search(sought, room) : [], names]);
        if (!left)
          found.value = {
            said: hits.map(hitOf),
            people: people.slice(0, MOST).flatMap((name) => hitsOf(name, narrow)),
            wrong: "",
          };
      } catch (error) {
        if (!left) found.value = { said: [], people: [], wrong: /** @type {Error} */ (error).message };
      }
    }, PAUSE);
    return () => {
      left = true;
      clearTimeout(timer);
    };
  }, [sought, room]);
  return found.value;
}

/**
 * The ways to a person: a direct message, and the person's messages.
 * @param {string} name
 * @param {(text: string) => void} narrow searches for another text
 * @returns {Hit[]}
 */
function hitsOf(name, narrow) {
  const write = async () => goRoom(await openDirect([name]));
  const direct = {
    key: `direct-${name}`,
    icon: "user",
    text: name,
    about: "Direct message",
    pick: () => write().catch(refusedAs("Not opened")),
  };
  const messages = {
    key: `person-${name}`,
    icon: "search",
    text: name,
    about: "Search their messages",
    stays: true,
    pick: () => narrow(`from:"${name.replaceAll('"', "")}" `),
  };
  return name === session.value?.name ? [messages] : [direct, messages];
}

/** @param {import("./search-state.js").Hit} hit @returns {Hit} */
function hitOf({ room, conversation, offset, run, by, assistant, time: at, text, marks, files, previous, following }) {
  const place = room ? nameOf(room) : (titled(conversation ?? "") ?? "a conversation");
  return {
    key: `${room ?? conversation}-${offset}-${by || assistant}`,
    icon: files.length > 0 ? "paperclip" : room ? signOf(summary(room)) : "message-square",
    text: marked(text, marks),
    about: `${author({ by, assistant })} in ${place} \u00b7 ${time(at)}`,
    before: previous && `${author(previous)}: ${previous.text}`,
    after: following && `${author(following)}: ${following.text}`,
    pick: () => {
      if (room) goRoom(room, offset);
      else go(conversation, run ? { run, part: assistant === null ? "question" : "answer" } : null);
    },
  };
}

/** A room's name, as in a sentence. @param {string} room */
const nameOf = (room) => signed(summary(room) ?? { name: room });

/** @param {{by: string, assistant: string | null}} said */
const author = ({ by, assistant }) => by || (assistant === null ? "Guest" : titleOf(assistant));

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
  return found.slice(0, MOST).map((room) => ({
    key: `room-${room.id}`,
    icon: signOf(room),
    text: room.name,
    about: room.about,
    here: openRoom.value === room.id,
    pick: () => goRoom(room.id),
  }));
}

/** @param {string} sought in lower case @returns {Hit[]} */
function conversationsFor(sought) {
  const found = conversations.value.filter(({ title }) => title.toLowerCase().includes(sought));
  return found.slice(0, MOST).map(({ id, title }) => ({
    key: id,
    icon: "message-square",
    text: title,
    here: id === open.value,
    pick: () => go(id),
  }));
}

/** @param {string} sought in lower case @returns {Hit[]} */
function processesFor(sought) {
  const found = sought ? (processes.value ?? []).filter((name) => name.toLowerCase().includes(sought)) : [];
  return found.slice(0, MOST).map((name) => ({
    key: `process-${name}`,
    icon: "workflow",
    text: name,
    about: "Process",
    here: openProcess.value === name,
    pick: () => goProcess(name),
  }));
}

/** @param {string} sought in lower case @param {string} about says what they are, among other hits @returns {Hit[]} */
function commandsFor(sought, about) {
  const found = commands().filter(({ label }) => label.toLowerCase().includes(sought));
  return found.map(({ icon, label, run }) => ({ key: `>${label}`, icon, text: label, about, pick: run }));
}

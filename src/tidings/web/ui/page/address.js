/** The page's address: which room, conversation, page of the documentation, process, dashboard or alert is open. */
import { computed, effect, signal } from "@preact/signals";
import { drawer, resetAside } from "./layout.js";
import { serverRoot } from "./root.js";

/**
 * A question, or the answer of its run.
 * @typedef {{run: string, part: "question" | "answer"}} Part
 */

/**
 * A room, with the offset of a message to show; or a conversation, null being a new one, with the part of it to show.
 * `path`: a page of the documentation, with the first and the last line to show. `process`: the map of a process, null
 * being the list of them, with the query of its filter. `dashboard`: its id, "" being the list of all. `alert`: a rule's id, "" being the list, "new" the
 * form of a new one. `nowhere`: the address is none of this page.
 * @typedef {{path: string, lines: [number, number] | null}} Doc
 * @typedef {{room: string, at: string | null} | {conversation: string | null, at: Part | null} | Doc | {process: string | null, filter: string} | {dashboard: string} | {alert: string} | {nowhere: true}} Place
 */

/** The path of a page of the documentation, as sources name it. */
const DOC = /^docs\/(?:[\w-]+\/)*[\w-]+\.md$/;

/** @type {import("@preact/signals").Signal<Place>} */
const place = signal(addressed());

/** The open conversation. Null: a new one, or a room is open. */
export const open = computed(() => ("conversation" in place.value ? place.value.conversation : null));

/** The open room. */
export const openRoom = computed(() => ("room" in place.value ? place.value.room : null));

/** The open page of the documentation. */
export const openDoc = computed(() => ("path" in place.value ? place.value : null));

/** The open process; null: the list of them. Undefined: something else is open. */
export const openProcess = computed(() => ("process" in place.value ? place.value.process : undefined));

/** The query that filters the cases of the open process; empty: all of them. */
export const openFilter = computed(() => ("process" in place.value ? place.value.filter : ""));

/** The open dashboard, "" being the list of all; null: none of them is open. */
export const openDashboard = computed(() => ("dashboard" in place.value ? place.value.dashboard : null));

/** The open alert rule, "" being the list of all, and "new" the form of a new one; null: none of them is open. */
export const openAlert = computed(() => ("alert" in place.value ? place.value.alert : null));

/** The open place is drawn by modules that are loaded later. */
export const isLater = computed(() => ["path", "process", "dashboard", "alert"].some((kind) => kind in place.value));

/** The question or the answer to show in the open conversation. */
export const openPart = computed(() => ("conversation" in place.value ? place.value.at : null));

/** The address leads nowhere. */
export const nowhere = computed(() => "nowhere" in place.value);

/** The offset of the message to show in the open room. */
export const openAt = computed(() => ("room" in place.value ? place.value.at : null));

/** Check if a path is one of this page. @param {string} path */
export const isPath = (path) =>
  path.startsWith(serverRoot) && /^(p|[crp]\/[^/]+|[ad](\/[^/]+)?)?$/.test(path.slice(serverRoot.length));

/** @returns {Place} the place that the browser's address names */
function addressed() {
  const path = location.pathname.startsWith(serverRoot) ? location.pathname.slice(serverRoot.length) : "";
  if (DOC.test(path)) {
    const [, from, to] = /^#L(\d{1,6})-(\d{1,6})$/.exec(location.hash) ?? [];
    return { path, lines: from && to ? [Number(from), Number(to)] : null };
  }
  const board = /^d(?:\/([A-Za-z0-9_-]{1,60}))?$/.exec(path);
  if (board) return { dashboard: board[1] ?? "" };
  const rule = /^a(?:\/([A-Za-z0-9_-]{1,64}))?$/.exec(path);
  if (rule) return { alert: rule[1] ?? "" };
  const [known, kind, id] = /^(?:p|([crp])\/([A-Za-z0-9_-]{1,64}))?$/.exec(path) ?? [];
  if (known === undefined) return { nowhere: true };
  if (known[0] === "p") return { process: id ?? null, filter: id ? location.search.slice(1) : "" };
  const search = new URLSearchParams(location.search);
  if (kind === "r") return { room: id, at: search.get("at") };
  const part = search.has("question") ? "question" : "answer";
  const run = search.get(part);
  return { conversation: id ?? null, at: id && run ? { run, part } : null };
}

/**
 * The address of a page of the documentation.
 * @param {string | null} path
 * @param {readonly [number, number] | null} lines
 * @returns {string | null} null for a path of no such page
 */
export const docAddress = (path, lines) =>
  path && DOC.test(path) ? `${serverRoot}${path}${lines ? `#L${lines[0]}-${lines[1]}` : ""}` : null;

/** The address of a question or an answer. @param {string} id of the conversation @param {Part} at */
export const partAddress = (id, { run, part }) => `${serverRoot}c/${id}?${part}=${run}`;

/** Open a conversation. @param {string | null} id @param {Part | null} [at] the part to show */
export function go(id, at = null) {
  drawer.value = false;
  if ("conversation" in place.value && id === open.value && at === null) return;
  history.pushState(null, "", !id ? serverRoot : at ? partAddress(id, at) : `${serverRoot}c/${id}`);
  place.value = { conversation: id, at };
}

/** Open a room. @param {string} room @param {string | null} [at] the offset of a message to show */
export function goRoom(room, at = null) {
  drawer.value = false;
  if (room === openRoom.value && at === null) return;
  history.pushState(null, "", `${serverRoot}r/${room}${at ? `?at=${at}` : ""}`);
  place.value = { room, at };
}

/** Open a dashboard, or with "" the list of all. @param {string} dashboard */
export function goDashboard(dashboard) {
  drawer.value = false;
  if (dashboard === openDashboard.value) return;
  history.pushState(null, "", `${serverRoot}d${dashboard && `/${dashboard}`}`);
  place.value = { dashboard };
}

/** Open an alert rule, with "" the list of all, or with "new" the form of a new one. @param {string} alert @param {string} [search] what the form begins with */
export function goAlert(alert, search = "") {
  drawer.value = false;
  if (alert === openAlert.value) return;
  history.pushState(null, "", `${serverRoot}a${alert && `/${alert}`}${search && `?${search}`}`);
  place.value = { alert };
}

/** Open an address of this page. @param {URL} url */
export function goTo(url) {
  history.pushState(null, "", url);
  place.value = addressed();
}

/** Follow the browser's back and forward buttons. */
export function start() {
  addEventListener("popstate", () => (place.value = addressed()));
  effect(() => {
    place.value;
    resetAside();
  });
}

/** The open dashboard, and the change that is being made to it. */
import { computed, signal } from "@preact/signals";
import { ORIGIN, Problem } from "../../client/index.js";
import { subscribe, tidings } from "../connection/state.js";
import { isRead } from "../log/offset-fold.js";
import { goDashboard, openDashboard } from "../page/address.js";
import { partTitle } from "../page/layout.js";
import { ended, session } from "../session/state.js";
import { slugOf } from "./document-fold.js";
import { asTables, showRange } from "./view-state.js";

/** @typedef {import("./document-fold.js").Dashboard} Dashboard */
/** @typedef {{offset: string | null, dashboard: Dashboard}} Version `offset`: null for the dashboard that the server has built in */

/** @type {import("@preact/signals").Signal<{id: string, status: "loading" | "ready" | "missing" | "failed", reason: string, version: Version | null}>} */
export const opened = signal({ id: "", status: "loading", reason: "", version: null });

/** The changed dashboard that is not saved yet; null: it is not being edited. @type {import("@preact/signals").Signal<Dashboard | null>} */
export const draft = signal(null);

/** A version that somebody else has saved while this one was being edited. @type {import("@preact/signals").Signal<Version | null>} */
export const theirs = signal(null);

/** The reason why the change was not saved. */
export const refused = signal("");

/** The dashboard as the page shows it. */
export const shownBoard = computed(() => draft.value ?? opened.value.version?.dashboard ?? null);

/** Administrators change dashboards, and on a server without a key everybody does. */
export const mayEdit = computed(() => session.value?.admin === true);

/** The dashboards, by title; null until they were read. @type {import("@preact/signals").Signal<{id: string, title: string}[] | null>} */
export const list = signal(null);

/** The reason why the list cannot be shown. */
export const listFailed = signal("");

/** @type {import("../../client/index.js").Subscription | null} */
let subscription = null;
/** The attempt to save that is under way. @type {Promise<void> | null} */
let saving = null;
/** The last version that was followed. @type {Version | null} */
let latest = null;
/** The new dashboard that is to be edited when it is opened. */
let begun = "";

/** Read the list. */
export async function readList() {
  listFailed.value = "";
  try {
    list.value = (await tidings.patiently(() => tidings.request("GET", "/dashboards"))).dashboards;
  } catch (error) {
    if (!ended(error)) listFailed.value = /** @type {Error} */ (error).message;
  }
}

/** Open a dashboard, and follow what others save. @param {string} id */
export async function open(id) {
  close();
  opened.value = { id, status: "loading", reason: "", version: null };
  asTables.value = false;
  partTitle.value = "Dashboards";
  try {
    const { offset, dashboard } = await tidings.patiently(() => tidings.request("GET", `/dashboards/${id}`));
    if (opened.value.id !== id || openDashboard.value !== id) return;
    showRange(dashboard.range ?? 300);
    show({ offset, dashboard });
    if (begun === id) edit();
    begun = "";
    subscription = subscribe(`dashboards.${id}`, {
      after: offset ?? ORIGIN,
      onEvents: follow,
      onReset: () => void open(id),
      onError: () => {}, // what is shown stays
    });
  } catch (error) {
    if (opened.value.id !== id || ended(error)) return;
    const { message: reason } = /** @type {Error} */ (error);
    const status = error instanceof Problem && error.status === 404 ? "missing" : "failed";
    opened.value = { id, status, reason, version: null };
  }
}

/** Leave the dashboard. A change that was not saved is dropped. */
export function close() {
  subscription?.close();
  subscription = null;
  latest = draft.value = theirs.value = null;
  refused.value = "";
  opened.value = { ...opened.value, id: "" };
}

/** @param {Version} version */
function show(version) {
  opened.value = { ...opened.value, status: "ready", reason: "", version };
  partTitle.value = version.dashboard.title;
}

/** @param {import("../../client/index.js").Event[]} events */
function follow(events) {
  const last = events.findLast(({ type, offset }) => type === "dashboard.saved" && offset !== null);
  if (!last) return;
  latest = { offset: last.offset, dashboard: last.data };
  settle();
}

/** Show the last version that was followed, or say that there is one. */
function settle() {
  if (saving || !latest || latest.offset === opened.value.version?.offset) return;
  if (draft.value) theirs.value = latest;
  else show(latest);
}

/** Begin to change the dashboard. */
export function edit() {
  draft.value ??= opened.value.version?.dashboard ?? null;
}

/** @param {(board: Dashboard) => Dashboard} make */
export function change(make) {
  refused.value = "";
  if (draft.value) draft.value = make(draft.value);
}

/** Drop the change. If somebody has saved another version, show that. */
export function discard() {
  if (theirs.value) show(theirs.value);
  draft.value = theirs.value = null;
  refused.value = "";
  settle();
}

/**
 * Save the change in place of the version that was changed. If somebody else has saved another one, the change stays
 * and both are offered.
 * @param {string | null} [expected] the offset of the version to replace
 */
export async function save(expected = opened.value.version?.offset ?? null) {
  while (saving) await saving;
  if (!draft.value) return;
  saving = attempt(opened.value.id, draft.value, expected);
  await saving;
  saving = null;
  settle();
}

/** @param {string} id @param {Dashboard} made @param {string | null} expected */
async function attempt(id, made, expected) {
  refused.value = "";
  try {
    const done = await store(id, made, expected);
    if (opened.value.id !== id) return;
    if (latest && isRead(done.offset, latest.offset ?? "")) latest = null;
    draft.value = theirs.value = null;
    show({ offset: done.offset, dashboard: done.dashboard });
  } catch (error) {
    if (opened.value.id !== id || ended(error)) return;
    if (error instanceof Problem && error.status === 409) await conflict(id);
    else refused.value = /** @type {Error} */ (error).message;
  }
}

/** Read the version that stands in the way. @param {string} id */
async function conflict(id) {
  try {
    const { offset, dashboard } = await tidings.request("GET", `/dashboards/${id}`);
    theirs.value = { offset, dashboard };
  } catch (error) {
    refused.value = /** @type {Error} */ (error).message;
  }
}

/** @param {string} id @param {Dashboard} dashboard @param {string | null} expected */
function store(id, dashboard, expected) {
  return tidings.request("PUT", `/dashboards/${id}?expected=${expected ?? "new"}`, { json: dashboard });
}

/**
 * Save a new dashboard and open it; without cards it is edited at once. Another with the same title stays what it is.
 * @param {Dashboard} dashboard
 * @throws {Problem} the server refused it
 */
export async function create(dashboard) {
  const word = slugOf(dashboard.title) || "dashboard";
  for (let n = 1; ; n += 1) {
    const id = n === 1 ? word : `${word}-${n}`;
    try {
      await store(id, dashboard, null);
      begun = dashboard.cards.length === 0 ? id : "";
      return goDashboard(id);
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 409 || n >= 20) throw error;
    }
  }
}

/** Delete a dashboard. @param {string} id */
export async function remove(id) {
  await tidings.request("DELETE", `/topics/dashboards.${id}`);
  goDashboard("");
}

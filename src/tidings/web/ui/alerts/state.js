/** The alert rules, the silences, and the open rule, as the server folds them: the page reads them again when they change. */
import { signal } from "@preact/signals";
import { ORIGIN, Problem, newKey } from "../../client/index.js";
import { subscribe, tidings } from "../connection/state.js";
import { goAlert, openAlert } from "../page/address.js";
import { partTitle } from "../page/layout.js";
import { ended } from "../session/state.js";
import { titleOf } from "./words-fold.js";

/** @typedef {import("./rule-fold.js").Rule} Rule */
/** @typedef {import("./words-fold.js").Condition} Condition */

/** @typedef {{instance: string, state: Condition, since: number, value: number | null, episode: string | null, began: number | null, acknowledged: string | null, note: string, silent: number | null}} Instance */
/** @typedef {{id: string, rule: Rule, author: string, saved: number, saved_by: string, state: Condition, instances: Instance[], more: number, bad: number, offset: string}} Summary */
/** @typedef {Summary & {history: {offset: string, type: string, time: number, fact: any}[]}} Details */
/** @typedef {{id: string, began: number, until: number, why: string, by: string, rules: string[] | null, instances: string[] | null}} Silence */

/** @type {import("@preact/signals").Signal<{rules: Summary[], firing: number, mayChange: boolean} | null>} */
export const alerts = signal(null);

/** The silences that hold now or will. @type {import("@preact/signals").Signal<Silence[]>} */
export const silences = signal([]);

/** The open rule. @type {import("@preact/signals").Signal<Details | null>} */
export const opened = signal(null);

/** The open rule is being changed. */
export const editing = signal(false);

/** The reason why the list, or the open rule, cannot be shown. `missing`: there is no such rule. @type {import("@preact/signals").Signal<{reason: string, missing: boolean} | null>} */
export const failed = signal(null);

/** Rules whose topics are followed, so that the page reads again what has changed. */
const FOLLOWED = 40;

/** Milliseconds for which changes are gathered before they are read. */
const GATHER = 150;

/** The subscriptions, by their topics. @type {Map<string, import("../../client/index.js").Subscription>} */
const subscriptions = new Map();
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
/** Counts the reads, so that an answer that comes late is dropped. */
let reads = 0;

/** Show the list, or the rule with this id, and follow it. @param {string} id "" for the list, "new" for the form of a new rule */
export function open(id) {
  close();
  failed.value = null;
  partTitle.value = id === "new" ? "New rule" : id ? "Alert" : "Alerts";
  if (id !== "new") void read();
  if (id) readRights().catch(() => {}); // without them nothing can be changed here
}

/** Leave the page. */
export function close() {
  clearTimeout(timer);
  timer = undefined;
  reads += 1;
  for (const subscription of subscriptions.values()) subscription.close();
  subscriptions.clear();
  opened.value = null;
  editing.value = false;
}

/** Read what is shown, and follow it. */
export async function read() {
  clearTimeout(timer);
  timer = undefined;
  const mine = (reads += 1);
  const id = openAlert.value;
  try {
    const asked = [
      tidings.patiently(() => tidings.request("GET", id ? `/alerts/rules/${id}` : "/alerts")),
      tidings.patiently(() => tidings.request("GET", "/alerts/silences")),
    ];
    const [found, silent] = await Promise.all(asked);
    if (mine !== reads || id !== openAlert.value) return;
    failed.value = null;
    silences.value = silent.silences.filter((/** @type {Silence} */ { until }) => until > silent.now);
    if (id) {
      opened.value = found;
      partTitle.value = titleOf(found.rule);
    } else alerts.value = { rules: found.rules, firing: found.firing, mayChange: found.may_change };
    const followed = id ? [found] : found.rules.slice(0, FOLLOWED);
    for (const rule of followed) follow(`alerts.${rule.id}`, rule.offset);
    follow("silences", ORIGIN);
  } catch (error) {
    if (mine !== reads || ended(error)) return;
    const missing = error instanceof Problem && error.status === 404;
    failed.value = { reason: /** @type {Error} */ (error).message, missing };
  }
}

/** Read again when something happens in a topic. @param {string} topic @param {string} after */
function follow(topic, after) {
  if (subscriptions.has(topic)) return;
  const again = () => void (timer ??= setTimeout(() => void read(), GATHER));
  try {
    subscriptions.set(topic, subscribe(topic, { after, onEvents: again, onReset: again, onError: () => {} }));
  } catch {
    // Too many topics: the rule is as old as the page.
  }
}

/** The rights of the person: the list says them, and is read once for a rule that is opened first. */
export async function readRights() {
  if (alerts.value) return;
  const { rules, firing, may_change: mayChange } = await tidings.patiently(() => tidings.request("GET", "/alerts"));
  alerts.value ??= { rules, firing, mayChange };
}

/** Ask the server how a rule would have judged the last day. @param {Rule} rule @throws {Problem} the rule is wrong */
export const preview = (rule) => tidings.request("POST", "/alerts/preview", { json: rule });

/** Save a rule and show it. @param {string | null} id null: a new one @param {Rule} rule @param {string} key of the new rule, equal in each attempt */
export async function save(id, rule, key) {
  if (id) await tidings.request("PUT", `/alerts/rules/${id}`, { json: rule });
  else ({ id } = await tidings.request("POST", "/alerts/rules", { json: rule, key }));
  editing.value = false;
  if (id === openAlert.value) await read();
  goAlert(/** @type {string} */ (id));
}

/** @param {string} id */
export async function remove(id) {
  await tidings.request("DELETE", `/alerts/rules/${id}`);
  goAlert("");
}

/** Pause or resume a rule. @param {Summary} rule */
export const turn = ({ id, rule }) =>
  tidings.request("PUT", `/alerts/rules/${id}`, { json: { ...rule, paused: !rule.paused } });

/** @param {string} id @param {string[] | null} episodes null: all that are open @param {string} note */
export const acknowledge = (id, episodes, note) =>
  tidings.request("POST", `/alerts/rules/${id}/acknowledge`, { json: { ...(episodes && { episodes }), note } });

/** Begin a silence. @param {{seconds: number, why: string, rules: string[] | null, instances: string[] | null}} silence */
export async function silence({ seconds, why, rules, instances }) {
  await tidings.request("POST", "/alerts/silences", { json: { seconds, why, rules, instances } });
  await read();
}

/** End a silence. @param {string} id */
export async function unsilence(id) {
  await tidings.request("DELETE", `/alerts/silences/${id}`);
  await read();
}

export { newKey };

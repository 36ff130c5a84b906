import { Connection } from "./connection.js";
import { pause } from "./attempts.js";

/** Milliseconds in which a shared worker must have sent a message; after that a tab takes the connection. */
const PATIENCE = 5000;

/**
 * The place of one client at a connection, which other tabs may share.
 * @typedef {object} Seat
 * @property {(message: Omit<import("./connection.js").TabMessage, "from">) => void} send
 * @property {() => void} leave give the place back; the other tabs go on
 * @property {boolean} shared
 */

/** @typedef {import("./connection.js").Settings & {subject?: string}} Settings `subject`: the owner of the tokens */

/** @typedef {(message: import("./connection.js").HolderMessage) => void} Receive */

/** Tabs of this page can share a connection. On plain http only a shared worker can hold it, where browsers have one. */
const possible = () =>
  "BroadcastChannel" in globalThis && ("SharedWorker" in globalThis || !!globalThis.navigator?.locks);

/**
 * Take a seat at the connection of all tabs that have the same settings and the same version of this module.
 *
 * All tabs talk over one BroadcastChannel. The lock of the channel's name makes its owner the holder of the connection: a
 * shared worker, or one of the tabs where there is no worker. Each tab has a lock of its own, so that the holder notices
 * its end, even by a crash. Every tab also waits for the connection's lock, so that one of them takes over when the
 * holder is gone.
 *
 * @param {Settings} settings
 * @param {boolean} wanted share the connection, if the browser can
 * @param {Receive} receive called with every message of the holder
 * @returns {Seat}
 */
export function join(settings, wanted, receive) {
  return wanted && possible() ? together(settings, receive) : alone(settings, receive);
}

/** @param {Settings} settings @param {Receive} receive @returns {Seat} */
function alone(settings, receive) {
  const connection = new Connection(settings, "self", receive);
  const send = (/** @type {object} */ message) => connection.receive({ from: "self", ...message });
  return { send, leave: () => connection.close(), shared: false };
}

/** @param {Settings} settings @param {Receive} receive @returns {Seat} */
function together(settings, receive) {
  // The address of this module holds the hash of the site, so that tabs of an old version share nothing with new ones.
  const name = JSON.stringify({ ...settings, version: import.meta.url });
  const me = crypto.getRandomValues(new Uint32Array(4)).join("-");
  const left = new AbortController();
  const channel = new BroadcastChannel(name);
  /** @type {(value?: unknown) => void} */
  let heard = () => {};
  const answered = new Promise((resolve) => (heard = resolve));
  channel.onmessage = ({ data }) => {
    if (data.from || (data.to && data.to !== me)) return;
    heard();
    receive(data);
  };
  const present = new Promise((resolve) => {
    if (navigator.locks) void hold(me, left.signal, () => resolve(undefined));
    else resolve(undefined);
  });
  const send = async (/** @type {object} */ message) => {
    await present;
    if (!left.signal.aborted) channel.postMessage({ ...message, from: me });
  };
  const failed = worker(name);
  const late = pause(PATIENCE, left.signal);
  if (navigator.locks) {
    // Wait for the lock after the worker had its chance; without a worker, at once.
    void Promise.race([answered, failed, late]).then(() => hold(name, left.signal, () => host(settings, "tab", name)));
  } else void failed.then(() => receive({ alone: true }));
  void send({});
  const leave = () => {
    if (left.signal.aborted) return;
    channel.postMessage({ leave: true, from: me });
    left.abort();
    channel.close();
  };
  return { send, leave, shared: true };
}

/**
 * Own a lock until the signal.
 * @param {string} name
 * @param {AbortSignal} signal
 * @param {() => (() => void) | void} got called when the lock is owned; the function it returns is called at the end
 */
async function hold(name, signal, got) {
  try {
    await navigator.locks.request(name, { signal }, async () => {
      const end = got();
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      end?.();
    });
  } catch {
    // The tab left before it owned the lock.
  }
}

/**
 * Hold the connection for all tabs.
 * @param {Settings} settings
 * @param {"worker" | "tab"} by
 * @param {string} name
 * @returns {() => void} gives the connection up
 */
export function host(settings, by, name) {
  const channel = new BroadcastChannel(name);
  const connection = new Connection(settings, by, (message) => channel.postMessage(message));
  const known = new Set();
  channel.onmessage = ({ data }) => {
    if (!data.from) return;
    if (!known.has(data.from)) {
      known.add(data.from);
      // The lock is granted when the tab is gone, also after a crash.
      void globalThis.navigator?.locks?.request(data.from, () => {
        known.delete(data.from);
        connection.receive({ from: data.from, leave: true });
      });
    }
    connection.receive(data);
  };
  channel.postMessage({ hello: true });
  return () => {
    connection.close();
    channel.close();
  };
}

/** The Trusted Types policy that loads the worker. A Content Security Policy must allow its name. @type {{createScriptURL: (address: string) => any}} */
let policy;

/**
 * Start the shared worker of this name, or use the one that runs.
 * @param {string} name
 * @returns {Promise<void>} resolved when the browser turns out to have no such worker
 */
function worker(name) {
  return new Promise((resolve) => {
    try {
      const rules = { createScriptURL: (/** @type {string} */ address) => address };
      policy ??= /** @type {any} */ (globalThis).trustedTypes?.createPolicy("tidings-client", rules) ?? rules;
      const address = policy.createScriptURL(new URL("./worker.js", import.meta.url).href);
      new SharedWorker(address, { type: "module", name }).onerror = () => resolve();
    } catch {
      resolve();
    }
  });
}

import { Connection } from "./connection.js";
import { pause } from "./stream.js";

/** Milliseconds in which a shared worker must have said something, or a tab takes the connection. */
const PATIENCE = 5000;

/**
 * A tab's place at a connection.
 * @typedef {object} Seat
 * @property {(message: Omit<import("./connection.js").Told, "from">) => void} send
 * @property {() => void} leave and let others go on
 * @property {boolean} shared
 */

/** @typedef {import("./connection.js").Settings & {subject?: string}} Settings whose tokens they are */

/** @typedef {(message: import("./connection.js").Tells) => void} Receive */

/** Whether tabs of this page can share a connection: on plain http only a shared worker is left, and not everywhere. */
const possible = () => "BroadcastChannel" in globalThis && ("SharedWorker" in globalThis || !!navigator.locks);

/**
 * Take a seat at the connection of all tabs that have the same settings and the same version of this module.
 *
 * All talk over one BroadcastChannel. Whoever has the lock of its name holds the connection: a shared worker, or, where
 * there is none, one of the tabs. A tab has a lock of its own, so that the holder hears of its end, even by a crash;
 * and every tab stands in line for the connection's, so that one of them takes over when its holder is gone.
 *
 * @param {Settings} settings
 * @param {boolean} wanted
 * @param {Receive} receive
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
  // The address of this module holds the hash of the site: an old version's tabs and worker keep to themselves.
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
    // In line behind the worker. Without one, at once.
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
 * Have a lock until the signal.
 * @param {string} name
 * @param {AbortSignal} signal
 * @param {() => (() => void) | void} got is called when it is there, and what it returns when it is given back
 */
async function hold(name, signal, got) {
  try {
    await navigator.locks.request(name, { signal }, async () => {
      const end = got();
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      end?.();
    });
  } catch {
    // The tab has left the line.
  }
}

/**
 * Hold the connection.
 * @param {Settings} settings
 * @param {"worker" | "tab"} by
 * @param {string} name
 * @returns {() => void} let it go
 */
export function host(settings, by, name) {
  const channel = new BroadcastChannel(name);
  const connection = new Connection(settings, by, (message) => channel.postMessage(message));
  const known = new Set();
  channel.onmessage = ({ data }) => {
    if (!data.from) return;
    if (!known.has(data.from)) {
      known.add(data.from);
      // Granted when the tab is gone, whatever way it went.
      void navigator.locks?.request(data.from, () => {
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

/** Under Trusted Types a policy of this name must be allowed. @type {{createScriptURL: (address: string) => any}} */
let policy;

/**
 * Start the shared worker of this name, or meet the one that runs.
 * @param {string} name
 * @returns {Promise<void>} when it is known that there is none
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

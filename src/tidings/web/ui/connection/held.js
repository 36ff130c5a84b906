/**
 * Answers of the server that this device holds, so that the page can show them when the server cannot be reached. They
 * are one person's: whoever signs in next finds none of them. Where the browser has no cache, none is held.
 */
import { serverRoot } from "../page/root.js";

const CACHE = `tidings.held ${serverRoot}`;

/** The most answers that are held, and the most characters of one. */
const MOST = 400;
const LONGEST = 2_000_000;

/** Milliseconds for which answers are gathered before they are stored. */
const GATHER = 500;

/** The answers that are held: of a topic, a room, and the lists that the page begins with. */
const HELD = /^\/(assistants|notifications|rooms(\/[\w-]+)?|topics\/[\w.%-]+\/events\?.*|topics\?prefix=.*)$/;

/** The answers that may be older than the page, since the page follows what has come after them. */
const FOLLOWED = /^\/(rooms\/|topics\/)/;

/** The person whose answers are held and shown; undefined before that is known. @type {string | null | undefined} */
let owner;

/** Answers that wait to be stored, by path. @type {Map<string, unknown>} */
const waiting = new Map();
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

const open = () => (globalThis.caches ? caches.open(CACHE) : null);

/** The key of an answer. A person's name is part of it. @param {string} path */
const keyOf = (path) => `${serverRoot}held/${encodeURIComponent(owner ?? "")}${path}`;

/** The key of the session. */
const SESSION = `${serverRoot}held`;

/**
 * Hold the session of the person who is signed in, and drop what is held of others.
 * @param {{name: string | null}} session
 */
export async function holdFor(session) {
  owner = session.name;
  const cache = await open();
  if (!cache) return;
  const mine = new URL(keyOf("/"), location.href).href;
  for (const { url } of await cache.keys()) if (!url.startsWith(mine)) await cache.delete(url);
  await cache.put(SESSION, new Response(JSON.stringify({ ...session, at: Date.now() / 1000 })));
}

/**
 * The session of the person whose answers are held, whose they are then.
 * @returns {Promise<any>} with the Unix time `at`; null when none is held
 */
export async function heldSession() {
  const found = await (await open())?.match(SESSION);
  if (!found) return null;
  const session = await found.json();
  owner = session.name;
  return session;
}

/** Hold an answer, once the moment is over. @param {string} path @param {unknown} answer */
export function hold(path, answer) {
  if (owner === undefined || !HELD.test(path)) return;
  waiting.set(keyOf(path), answer);
  timer ??= setTimeout(() => void store(), GATHER);
}

/**
 * An answer that is held.
 * @param {string} path
 * @param {boolean} fresh the server has answered this page: only what the page follows may be older
 * @returns {Promise<any>} null when there is none
 */
export async function held(path, fresh) {
  if (owner === undefined || (fresh && !FOLLOWED.test(path))) return null;
  const found = await (await open())?.match(keyOf(path));
  return found ? found.json() : null;
}

/** Drop the answers whose paths begin so, because their content is gone. @param {string} path */
export async function release(path) {
  if (owner === undefined) return;
  const gone = keyOf(path);
  for (const key of waiting.keys()) if (key.startsWith(gone)) waiting.delete(key);
  const cache = await open();
  for (const { url } of (await cache?.keys()) ?? [])
    if (url.startsWith(new URL(gone, location.href).href)) await cache?.delete(url);
}

/** Drop everything that is held, before the person's cookie is taken away. */
export async function drop() {
  owner = undefined;
  waiting.clear();
  await globalThis.caches?.delete(CACHE);
}

/** Store what waits now. The page may be about to end. */
export async function store() {
  clearTimeout(timer);
  timer = undefined;
  const answers = [...waiting];
  waiting.clear();
  const cache = await open();
  if (!cache) return;
  for (const [key, answer] of answers) {
    const text = JSON.stringify(answer);
    if (owner === undefined || text.length > LONGEST) continue;
    await cache.put(key, new Response(text));
  }
  const keys = (await cache.keys()).filter(({ url }) => url !== new URL(SESSION, location.href).href);
  for (const { url } of keys.slice(0, Math.max(0, keys.length - MOST))) await cache.delete(url);
}

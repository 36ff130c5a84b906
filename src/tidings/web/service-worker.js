/**
 * The service worker, which shows the page when there is no network. It answers for the page and for its files, and for
 * nothing else: requests about people, rooms and runs, and every event stream, go to the server without it.
 */

/** @type {any} */
const worker = self;

/** The path below which the server is, with a slash at its end. */
const ROOT = new URL("./", worker.location.href).pathname;
const FILES = `${ROOT}web/`;
const CACHE = `tidings.page ${ROOT}`;

/** Statuses of a proxy whose server is away. */
const AWAY = [502, 503, 504];

worker.addEventListener("install", (/** @type {any} */ event) => {
  worker.skipWaiting();
  event.waitUntil(Promise.all([passBy(event), fetch(ROOT, { cache: "no-cache" }).then(keep)]));
});

worker.addEventListener("activate", (/** @type {any} */ event) => {
  // Without navigation preload: a browser would send a request that this worker leaves to it, such as the way back from a
  // sign-in, twice.
  event.waitUntil(worker.clients.claim());
});

worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== worker.location.origin || request.method !== "GET") return;
  if (request.mode === "navigate" && isPage(pathname)) event.respondWith(page(event));
  else if (pathname.startsWith(FILES)) event.respondWith(file(request));
});

/** Let a browser that can send all other requests without waking this worker. @param {any} event */
async function passBy(event) {
  const files = `${FILES.replace(/[\\(){}:*?+]/g, "\\$&")}*`;
  await event
    .addRoutes?.([
      { condition: { requestMode: "navigate" }, source: "fetch-event" },
      { condition: { urlPattern: { pathname: files } }, source: "fetch-event" },
      { condition: { urlPattern: { pathname: "*" } }, source: "network" },
    ])
    .catch(() => {});
}

/** Check if a path is one of the page. @param {string} path */
const isPage = (path) =>
  path.startsWith(ROOT) && /^(p|[crp]\/[^/]+|[ad](\/[^/]+)?|docs\/.+\.md)?$/.test(path.slice(ROOT.length));

/** The page from the server, or the one that is held. @param {any} event */
async function page(event) {
  const cache = await caches.open(CACHE);
  try {
    const response = await fetch(event.request);
    if (response.ok) event.waitUntil(keep(response.clone()));
    return AWAY.includes(response.status) ? ((await cache.match(ROOT)) ?? response) : response;
  } catch (error) {
    const held = await cache.match(ROOT);
    if (held) return held;
    throw error;
  }
}

/** A file by its address, which changes with its content. @param {Request} request */
async function file(request) {
  const cache = await caches.open(CACHE);
  const held = await cache.match(request.url, { ignoreVary: true });
  if (held) return held;
  const response = await fetch(request);
  if (response.ok) await cache.put(request.url, response.clone());
  return response;
}

/**
 * Hold a page and the files that it names, and drop those of the page before.
 * @param {Response} response
 */
async function keep(response) {
  const html = await response.clone().text();
  const cache = await caches.open(CACHE);
  if (!response.ok || (await (await cache.match(ROOT))?.text()) === html) return;
  const named = new Set(Array.from(html.matchAll(/"([^"#]+)(?:#[^"]*)?"/g), ([, name]) => name));
  const files = [...named].filter((name) => name.startsWith(FILES));
  const held = (await cache.keys()).map(({ url }) => new URL(url).pathname);
  await cache.addAll(files.filter((name) => !held.includes(name)));
  await cache.put(ROOT, response);
  for (const name of held) if (name !== ROOT && !named.has(name)) await cache.delete(name);
}

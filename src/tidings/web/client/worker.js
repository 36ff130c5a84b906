import { host } from "./share.js";

// The shared worker. Its name is that of the connection, and says what it needs; share.js starts it.
const { name } = /** @type {any} */ (globalThis);
const { version: _, ...settings } = JSON.parse(name);

const start = () => {
  host(settings, "worker", name);
  return new Promise(() => {}); // until the worker ends
};
// Without locks no tab can hold the connection, so there is nobody to wait for.
if (navigator.locks) void navigator.locks.request(name, start);
else void start();

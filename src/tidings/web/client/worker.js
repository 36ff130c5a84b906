import { host } from "./share.js";

// The shared worker, started by share.js. Its name is the name of the connection and holds the connection's settings.
const { name } = /** @type {any} */ (globalThis);
const { version: _, ...settings } = JSON.parse(name);

const start = () => {
  host(settings, "worker", name);
  return new Promise(() => {}); // keeps the lock until the worker ends
};
// Without locks no tab can hold the connection, so the worker need not wait.
if (globalThis.navigator?.locks) void navigator.locks.request(name, start);
else void start();

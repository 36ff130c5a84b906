/** `follow` in a worker, dedicated or shared: each message is a question, and is answered by one. */
import { follow } from "./follow.js";

/** @param {MessagePort | typeof globalThis} port */
const serve = (port) => {
  port.onmessage = async (/** @type {MessageEvent} */ { data }) => port.postMessage(await follow(data));
};

if ("onconnect" in self) self.onconnect = (/** @type {MessageEvent} */ { ports }) => serve(ports[0]);
else serve(self);

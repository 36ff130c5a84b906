/**
 * `follow` in a worker, dedicated or shared: it says when its modules are loaded, then answers each question by one message.
 */
import "/files/client/eventsource.js";
import { follow } from "./follow.js";

/** @param {MessagePort | typeof globalThis} port */
const serve = (port) => {
  port.onmessage = async (/** @type {MessageEvent} */ { data }) => port.postMessage(await follow(data));
  port.postMessage("ready");
};

if ("onconnect" in self) self.onconnect = (/** @type {MessageEvent} */ { ports }) => serve(ports[0]);
else serve(self);

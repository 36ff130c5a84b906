/**
 * Readers of event streams from npm that run in Node, as their own pages say to use them, and ours.
 *
 * `node node_client.mjs NAME URL` prints `["event", data]` for each event of type `message`, and `["ended", how]` when
 * the library stops by itself.
 */
import { EventSource } from "eventsource";
import { createEventSource } from "eventsource-client";

import { EventSource as OurEventSource } from "../../src/tidings/web/client/eventsource.js";

const [name, url] = process.argv.slice(2);
const tell = (...line) => console.log(JSON.stringify(line));

const standard = (Kind) => () => {
  const source = new Kind(url);
  source.onmessage = (event) => tell("event", event.data);
  source.onerror = () => source.readyState === Kind.CLOSED && tell("ended", "returned");
};

const CLIENTS = {
  tidings: standard(OurEventSource),
  eventsource: standard(EventSource),
  "eventsource-client": () => {
    const client = createEventSource({
      url,
      onMessage: ({ event, data }) => event === undefined && tell("event", data),
      onDisconnect: () => setImmediate(() => client.readyState === "closed" && tell("ended", "returned")),
    });
  },
};

CLIENTS[name]();

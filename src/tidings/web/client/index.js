/** The JavaScript client of Tidings: readers of event streams, and a client that follows topics over one connection. */
export { MOST_TOPICS } from "./connection.js";
export { Decoder } from "./decoder.js";
export { EventSource } from "./eventsource.js";
export { Problem, Unreachable } from "./http.js";
export { newKey } from "./key.js";
export { ORIGIN } from "./offset.js";
export { isTemporary, Outbox } from "./outbox.js";
export { resumableFetch } from "./resumable.js";
export { Run } from "./run.js";
export { EventStream } from "./stream.js";
export { Reset, Subscription } from "./subscription.js";
export { Tidings } from "./tidings.js";

/** @typedef {import("./subscription.js").Event} Event */
/** @typedef {import("./subscription.js").SubscribeOptions} SubscribeOptions */
/** @typedef {import("./tidings.js").Options} Options */
/** @typedef {import("./tidings.js").Connection} Connection */
/** @typedef {import("./outbox.js").PendingSend} PendingSend */

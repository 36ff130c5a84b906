/** The JavaScript client of Tidings: an event stream reader, and a server followed over one connection. */
export { Decoder } from "./decoder.js";
export { Problem, Unreachable } from "./http.js";
export { EventStream } from "./stream.js";
export { MOST_TOPICS, ORIGIN, Tidings } from "./tidings.js";

/** The parts of an answer that only agents write. They are loaded when the first is met. */
export { Cards } from "./data-card.js";
export { Request } from "./request.js";

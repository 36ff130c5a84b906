/** A server in this process whose answers the test writes by hand. */
import { createServer } from "node:http";
import { afterEach } from "node:test";

/** @typedef {(response: import("node:http").ServerResponse, request: import("node:http").IncomingMessage) => void} Answer */

/** @type {import("node:http").Server[]} */
const servers = [];
afterEach(() => servers.splice(0).forEach((server) => (server.closeAllConnections(), server.close())));

/**
 * Answer the n-th request with the n-th of `answers`, and later ones with the last.
 * @param {Answer[]} answers
 */
export async function answering(...answers) {
  /** @type {import("node:http").IncomingMessage[]} */
  const requests = [];
  const server = createServer((request, response) => {
    requests.push(request);
    (answers[requests.length - 1] ?? answers[answers.length - 1])(response, request);
  });
  servers.push(server);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return { url: `http://127.0.0.1:${port}`, requests };
}

/** @param {string} text @param {boolean} [end] @returns {Answer} an event stream that begins with `text` */
export const streaming =
  (text, end = false) =>
  (response) => {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.flushHeaders();
    response.write(text);
    if (end) response.end();
  };

/** @param {number} status @param {object} [body] @param {Record<string, string>} [headers] @returns {Answer} */
export const json =
  (status, body = {}, headers = {}) =>
  (response) => {
    const type = status < 400 ? "application/json" : "application/problem+json";
    response.writeHead(status, { "Content-Type": type, ...headers }).end(JSON.stringify(body));
  };

/**
 * Follow a topic with our EventSource to its last event, wherever this runs: Node, a page, a worker.
 * @param {{client: string, url: string, last: string, options?: object}} asked `client`: the address of eventsource.js
 * @returns {Promise<{data: string[], errors: number, origin: string}>}
 */
export async function follow({ client, url, last, options }) {
  const { EventSource } = await import(client);
  return new Promise((resolve, reject) => {
    /** @type {string[]} */
    const data = [];
    let errors = 0;
    const source = new EventSource(url, options);
    source.onmessage = (/** @type {MessageEvent} */ event) => {
      data.push(event.data);
      if (event.data !== last) return;
      source.close();
      resolve({ data, errors, origin: event.origin });
    };
    source.onerror = () => {
      errors += 1;
      if (source.readyState === EventSource.CLOSED) reject(new Error(`closed after ${data.length} events`));
    };
  });
}

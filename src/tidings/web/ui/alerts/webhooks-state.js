/** The webhooks that notices are sent to. Only administrators see them. */
import { signal } from "@preact/signals";
import { tidings } from "../connection/state.js";

/** @typedef {{id: string, queued: number, tries: number, due: number, status: number | null, error: string, body: string}} Message */
/** @typedef {{id: string, url: string, title: string, by: string, disabled: string | null, delivered: number, last: number | null, waiting: Message[], failed: Message[]}} Webhook */

/** The webhooks; null: they were not read, or are not for this person. @type {import("@preact/signals").Signal<Webhook[] | null>} */
export const webhooks = signal(null);

export async function readWebhooks() {
  try {
    webhooks.value = (await tidings.request("GET", "/alerts/webhooks")).webhooks;
  } catch {
    webhooks.value = null;
  }
}

/** Make a webhook. @param {string} url @param {string} title @returns {Promise<{id: string, secret: string}>} the secret is shown once */
export const makeWebhook = (url, title) => asking("POST", "", { url, title });

/** Change the secret. The old one signs for a day beside it. @param {string} id @returns {Promise<{id: string, secret: string}>} */
export const changeSecret = (id) => asking("POST", `/${id}/secret`);

/** @param {string} id */
export const enable = (id) => asking("POST", `/${id}/enable`);

/** Send again what was given up. @param {string} id @param {string[] | null} ids null: all */
export const resend = (id, ids) => asking("POST", `/${id}/resend`, ids ? { ids } : {});

/** @param {string} id */
export const removeWebhook = (id) => asking("DELETE", `/${id}`);

/** Ask for a change, and read what has become of it. @param {string} method @param {string} path @param {object} [json] */
async function asking(method, path, json) {
  const answer = await tidings.request(method, `/alerts/webhooks${path}`, { json });
  await readWebhooks();
  return answer;
}

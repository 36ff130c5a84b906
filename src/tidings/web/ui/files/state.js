import { computed, effect, signal } from "@preact/signals";
import { Problem, newKey } from "../../client/index.js";
import { connectionStatus } from "../connection/state.js";
import { soon } from "../page/frames.js";
import { serverRoot } from "../page/root.js";
import { recall } from "../page/storage.js";
import { ended, session } from "../session/state.js";
import { limit } from "../text/format.js";

/** @typedef {import("../room/fold.js").File} Stored */

/**
 * A file of a message that is being written. Its upload begins at once. The page holds the file, so leaving the page
 * loses it.
 * @typedef {object} Attachment
 * @property {string} key
 * @property {string} place the room or the conversation, as "rooms/ID"
 * @property {File} file
 * @property {string | null} picture its address, if a browser can show it
 * @property {"waiting" | "going" | "whole" | "broken" | "refused"} state `broken`: another
 *   attempt may succeed
 * @property {number} share the part that is uploaded, 0 to 1
 * @property {string} wrong the reason of `broken` or `refused`
 * @property {Stored | null} stored the server's answer, when it is `whole`
 */

/** The most files of one message. */
const MOST = 10;
/** Types that the server serves as pictures. Other types can only be downloaded. */
const PICTURES = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"];
/** A valid media type. Operating systems report anything as a file's type. */
const MEDIA_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/;

/** @param {string} type */
export const isPicture = (type) => PICTURES.includes(type);

/** @param {string} type */
export const isFilm = (type) => type === "video/mp4" || type === "video/webm";

/** @param {string} place the room or the conversation, as "rooms/ID" @param {string} id */
export const addressOf = (place, id) => `${serverRoot}${place}/files/${id}`;

/**
 * All attached files. They are uploaded in this order, one after the other, so that messages and the event stream keep
 * their connections.
 * @type {import("@preact/signals").Signal<readonly Attachment[]>}
 */
const all = signal([]);

/** Files are attached somewhere. */
export const attaching = computed(() => all.value.length > 0);

/** The files that are attached in a room or a conversation. @param {string} place */
export const attachedTo = (place) => all.value.filter((one) => one.place === place);

/** The reason why a message with its files cannot be sent yet; "" when it can. @param {string} place */
export function missing(place) {
  const late = attachedTo(place).find(({ state }) => state !== "whole");
  if (!late) return "";
  const { state, file } = late;
  if (state === "refused") return `Remove ${file.name} to send.`;
  if (connectionStatus.value === "lost") return "Offline. Keep this page open to upload.";
  if (state === "broken") return `Retry or remove ${file.name} to send.`;
  return `Uploading ${file.name}. You can send when this is done.`;
}

/** The uploads under way, by key. @type {Map<string, XMLHttpRequest>} */
const requests = new Map();

/**
 * Attach files to the message that is being written in a room, or to the question in a conversation.
 * @param {{place: string, maxFile: number}} target `maxFile`: bytes of the largest file that is taken
 * @param {readonly File[]} files
 * @returns {string} the reason why some files were not attached; "" if all were
 */
export function attach({ place, maxFile }, files) {
  const free = MOST - attachedTo(place).length;
  /** @type {Attachment[]} */
  const taken = files.slice(0, free).map((file) => {
    const wrong =
      file.size > maxFile ? `Too large (limit ${limit(maxFile)}).` : file.size === 0 ? "The file is empty." : "";
    const picture = isPicture(file.type) ? URL.createObjectURL(file) : null;
    return {
      key: newKey(),
      place,
      file,
      picture,
      state: wrong ? "refused" : "waiting",
      share: 0,
      wrong,
      stored: null,
    };
  });
  all.value = [...all.value, ...taken];
  return files.length > free ? `A message has at most ${MOST} files.` : "";
}

/** @param {string} key */
export function detach(key) {
  const gone = all.value.find((one) => one.key === key);
  if (gone?.picture) URL.revokeObjectURL(gone.picture);
  all.value = all.value.filter((one) => one.key !== key);
  requests.get(key)?.abort();
}

/** @param {string} key */
export const uploadAgain = (key) => change(key, { state: "waiting", wrong: "" });

/** Take the uploaded files of a room or a conversation for a message. @param {string} place @returns {Stored[]} */
export function take(place) {
  const taken = attachedTo(place).filter(({ stored }) => stored);
  for (const { key } of taken) detach(key);
  return taken.map(({ stored }) => /** @type {Stored} */ (stored));
}

/** @param {string} key @param {Partial<Attachment>} what */
function change(key, what) {
  all.value = all.peek().map((one) => (one.key === key ? { ...one, ...what } : one));
}

/** @param {Attachment} attachment */
function upload({ key, place, file }) {
  change(key, { state: "going", share: 0, wrong: "" });
  // fetch does not report the progress of an upload.
  const request = new XMLHttpRequest();
  requests.set(key, request);
  request.open("POST", `${serverRoot}${place}/files?${new URLSearchParams({ name: file.name })}`);
  request.setRequestHeader("Content-Type", MEDIA_TYPE.test(file.type) ? file.type : "application/octet-stream");
  request.upload.onprogress = ({ loaded }) => soon(() => change(key, { share: loaded / file.size }));
  request.onload = () => change(key, answered(request));
  request.onerror = () => change(key, { state: "broken", wrong: "The upload failed, or the file cannot be read." });
  request.onabort = () => change(key, { state: "waiting" });
  request.onloadend = () => requests.delete(key);
  request.send(file);
}

/** @param {XMLHttpRequest} request @returns {Partial<Attachment>} */
function answered({ status, responseText }) {
  try {
    const found = JSON.parse(responseText);
    if (status === 201) return { state: "whole", stored: found };
    const problem = new Problem(status, found.title, found.detail);
    ended(problem);
    return { state: [400, 413, 422].includes(status) ? "refused" : "broken", wrong: problem.message };
  } catch {
    return { state: "broken", wrong: `The server answered ${status}.` };
  }
}

/** Ask before leaving would lose files. After a sign-in with another name the page is left without a question. @param {Event} event */
function ask(event) {
  const me = recall("me", null);
  if (me === null || me === session.value?.name) event.preventDefault();
}

/** Upload attached files, one after the other, while the page is connected. */
export function start() {
  effect(() => {
    const connected = connectionStatus.value === "live" || connectionStatus.value === "back";
    const next = all.value.find(({ state }) => state === "waiting");
    if (connected && next && !all.value.some(({ state }) => state === "going")) upload(next);
  });
  // After the connection is lost an upload would only wait for its end. It begins again with the next connection.
  effect(() => {
    if (connectionStatus.value === "lost") for (const request of requests.values()) request.abort();
    else if (connectionStatus.value === "back")
      for (const { key, state } of all.peek()) if (state === "broken") uploadAgain(key);
  });
  effect(() => {
    if (all.value.length > 0) addEventListener("beforeunload", ask);
    else removeEventListener("beforeunload", ask);
  });
}

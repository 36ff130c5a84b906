import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { connectionStatus } from "../connection/state.js";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { dialog } from "../page/layout.js";
import { size } from "../text/format.js";
import { addressOf, isFilm, isPicture } from "./state.js";

/** @typedef {import("../room/fold.js").File} File */

/** Characters at the end of a file's name that are always shown, because they hold the type. */
const END = 10;

/**
 * The files of a message.
 * @param {{place: string, files: readonly File[]}} props `place`: the room or the conversation, as "rooms/ID"
 */
export const Files = ({ place, files }) => html`
  <ul class="files" aria-label="Files">
    ${files.map((file) => {
      const Shown = isPicture(file.type) ? Picture : isFilm(file.type) ? Film : Download;
      const enlarge = () => {
        const pictures = files.filter(({ type }) => isPicture(type));
        dialog.value = { kind: "pictures", place, pictures, first: pictures.indexOf(file) };
      };
      return html`<li key=${file.id}>
        <${Shown} file=${file} address=${addressOf(place, file.id)} onEnlarge=${enlarge} />
      </li>`;
    })}
  </ul>
`;

/** A message in words, for quotes: its text, else the names of its files. @param {{text: string, files: readonly File[]}} message */
export const wordsOf = ({ text, files }) => text || files.map(({ name }) => name).join(", ");

/** A file's name. A name that is too long is cut in the middle. @param {{name: string}} props */
export function FileName({ name }) {
  const letters = [...name];
  const cut = Math.max(0, letters.length - END);
  return html`<span class="file-name" title=${name}
    ><span>${letters.slice(0, cut).join("")}</span><span>${letters.slice(cut).join("")}</span></span
  >`;
}

/**
 * A picture in a box of a fixed size. Messages do not hold the size of their pictures, and nothing may move when one loads.
 * @param {{file: File, address: string, onEnlarge: () => void}} props
 */
function Picture({ file, address, onEnlarge }) {
  const state = useSignal(/** @type {"shown" | "unread" | "gone" | "odd"} */ ("shown"));
  const failed = async () => {
    const found = await look(address);
    state.value = found === "there" ? "odd" : found;
  };
  const press = (/** @type {MouseEvent} */ event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // the browser opens a tab
    event.preventDefault();
    onEnlarge();
  };
  useEffect(() => {
    if (connectionStatus.value === "back" && state.value === "unread") state.value = "shown";
  }, [connectionStatus.value]);
  if (state.value === "odd") return html`<div class="picture"><${Download} file=${file} address=${address} /></div>`;
  if (state.value !== "shown") {
    return html`<p class="picture">
      <${FileName} name=${file.name} />${state.value === "gone" ? GONE : "The image was not loaded."}
      ${
        state.value === "unread" &&
        html`<button type="button" class="link" onClick=${() => (state.value = "shown")}>Retry</button>`
      }
    </p>`;
  }
  return html`
    <a
      class="picture"
      href=${address}
      target="_blank"
      rel="noopener"
      title=${`${file.name}, ${size(file.size)}`}
      onClick=${press}
    >
      <img src=${address} alt=${file.name} loading="lazy" decoding="async" onError=${failed} />
    </a>
  `;
}

const GONE = "This file is no longer available.";

/**
 * A film, which is loaded when it is played. A film that was loaded halfway would keep one of the few connections that
 * a browser has to a server.
 * @param {{file: File, address: string}} props
 */
function Film({ file, address }) {
  const odd = useSignal(false);
  const download = html`<${Download} file=${file} address=${address} />`;
  if (odd.value) return html`<div class="picture">${download}</div>`;
  return html`
    <video
      class="picture"
      controls
      playsinline
      preload="none"
      src=${address}
      aria-label=${file.name}
      onError=${() => (odd.value = true)}
    />
    ${download}
  `;
}

/** @param {{file: File, address: string}} props */
function Download({ file, address }) {
  const wrong = useSignal("");
  const press = async (/** @type {MouseEvent} */ event) => {
    const link = /** @type {HTMLAnchorElement} */ (event.currentTarget);
    if (!event.isTrusted) return;
    // Browsers do not report a failed download to the page.
    event.preventDefault();
    const found = await look(address);
    wrong.value = found === "gone" ? GONE : found === "unread" ? "The server cannot be reached." : "";
    if (found === "there") link.click();
  };
  return html`
    <a class="file" href=${address} download=${file.name} onClick=${press}>
      <${Icon} name="file-text" /><${FileName} name=${file.name} /><small>${size(file.size)}</small>
      ${wrong.value && html`<span class="wrong" role="alert">${wrong.value}</span>`}
    </a>
  `;
}

/** Look if a file exists; "unread" means that the server did not say. @param {string} address @returns {Promise<"there" | "gone" | "unread">} */
async function look(address) {
  try {
    const { ok, status } = await fetch(address, { headers: { Range: "bytes=0-0" } });
    return ok ? "there" : [403, 404, 410].includes(status) ? "gone" : "unread";
  } catch {
    return "unread";
  }
}

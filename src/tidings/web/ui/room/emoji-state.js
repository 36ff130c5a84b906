/** The names of emoji, which are fetched when they are first needed, and the emoji that were used on this device. */
import { signal } from "@preact/signals";
import { keep, recall } from "../page/storage.js";
import { met } from "../text/met.js";
import { emojiOf, search } from "./emoji-fold.js";

/** @typedef {import("./emoji-fold.js").Emoji} Emoji */

/** The most emoji that are offered while a name is being written. */
const MOST = 6;
/** The most emoji that are kept as used. */
const USED = 24;

/** All emoji; null until they have come. @type {import("@preact/signals").Signal<readonly Emoji[] | null>} */
export const emoji = signal(null);

/** The emoji that were used on this device, the last one first. @type {import("@preact/signals").Signal<readonly string[]>} */
export const usedEmoji = signal(recall("emoji", []));

let loading = false;

export async function loadEmoji() {
  if (emoji.value || loading) return;
  loading = true;
  const library = await met(() => import("emoji"));
  if (library) emoji.value = emojiOf(library.default);
  loading = false;
}

/** @param {string} one */
export function useEmoji(one) {
  keep("emoji", (usedEmoji.value = [one, ...usedEmoji.value.filter((other) => other !== one)].slice(0, USED)));
}

/** The emoji that a beginning of a name may mean. @param {string} letters @returns {readonly Emoji[]} none until they have come */
export function emojiStarting(letters) {
  void loadEmoji();
  return emoji.value ? search(emoji.value, letters, MOST) : [];
}

/** The emoji with exactly this name. @param {string} name @returns {string | undefined} */
export const emojiNamed = (name) => emoji.value?.find(({ names }) => names.includes(name))?.emoji;

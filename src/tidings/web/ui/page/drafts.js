import { computed, signal } from "@preact/signals";
import { open, openRoom } from "./address.js";
import { keep, recall } from "./storage.js";

/**
 * Texts that were not sent, by conversation ("" is the new one) or by room ("#ID").
 * @type {import("@preact/signals").Signal<Record<string, string>>}
 */
const drafts = signal(recall("drafts", {}));

/**
 * The run whose question is being edited, by conversation, or the message that is being edited, by room.
 * @type {import("@preact/signals").Signal<Record<string, string>>}
 */
const edits = signal({});

const here = () => (openRoom.value ? `#${openRoom.value}` : (open.value ?? ""));

export const draft = computed(() => drafts.value[here()] ?? "");
export const editing = computed(() => edits.value[here()] ?? null);

/**
 * The messages that are being replied to, by room.
 * @type {import("@preact/signals").Signal<Record<string, {message: string, by: string, text: string}>>}
 */
const replies = signal({});

export const replying = computed(() => replies.value[here()] ?? null);

/** @param {{message: string, by: string, text: string} | null} to null ends the reply */
export function reply(to) {
  const { [here()]: _, ...others } = replies.value;
  replies.value = to ? { ...others, [here()]: to } : others;
}

/** @param {string} text of the open conversation's composer */
export function write(text) {
  // Another tab may have stored a draft of another conversation since.
  const { [here()]: _, ...others } = recall("drafts", drafts.value);
  drafts.value = text ? { ...others, [here()]: text } : others;
  keep("drafts", Object.keys(drafts.value).length > 0 ? drafts.value : undefined);
}

/**
 * Edit a text in the composer.
 * @param {string | null} what the run or the message; null ends editing
 * @param {string} text
 */
export function edit(what, text) {
  const { [here()]: _, ...others } = edits.value;
  edits.value = what ? { ...others, [here()]: what } : others;
  write(text);
}

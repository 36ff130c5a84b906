import { computed, signal } from "@preact/signals";
import { keep, recall } from "./device.js";
import { open } from "./shell.js";

/**
 * Texts that were not sent, by conversation; "" is the new one.
 * @type {import("@preact/signals").Signal<Record<string, string>>}
 */
const drafts = signal(recall("drafts", {}));

/**
 * The run whose question is edited, by conversation.
 * @type {import("@preact/signals").Signal<Record<string, string>>}
 */
const edits = signal({});

const here = () => open.value ?? "";

export const draft = computed(() => drafts.value[here()] ?? "");
export const editing = computed(() => edits.value[here()] ?? null);

/** @param {string} text of the open conversation's composer */
export function write(text) {
  // Another tab may have written for another conversation since.
  const { [here()]: _, ...others } = recall("drafts", drafts.value);
  drafts.value = text ? { ...others, [here()]: text } : others;
  keep("drafts", Object.keys(drafts.value).length > 0 ? drafts.value : undefined);
}

/**
 * Put a question that was asked back into the composer.
 * @param {string | null} run null: no more
 * @param {string} text
 */
export function edit(run, text) {
  const { [here()]: _, ...others } = edits.value;
  edits.value = run ? { ...others, [here()]: run } : others;
  write(text);
}

import { computed, signal } from "@preact/signals";
import { serverRoot } from "../page/root.js";

/**
 * The open page of the documentation. `text`: its Markdown, once it was read.
 * @type {import("@preact/signals").Signal<{path: string, state: "loading" | "ready" | "missing" | "failed", text: string}>}
 */
export const docPage = signal({ path: "", state: "loading", text: "" });

/** The title of the open page: its first heading. */
export const docTitle = computed(() => /^# +(.+?) *$/m.exec(docPage.value.text)?.[1] ?? "Documentation");

/** Read a page from the server. @param {string} path */
export async function readDoc(path) {
  docPage.value = { path, state: "loading", text: "" };
  const found = await fetch(serverRoot + path, { headers: { accept: "text/markdown" } }).catch(() => null);
  const text = found?.ok ? await found.text() : "";
  if (docPage.value.path !== path) return;
  docPage.value = { path, state: found?.ok ? "ready" : found?.status === 404 ? "missing" : "failed", text };
}

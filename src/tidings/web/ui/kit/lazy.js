import { signal } from "@preact/signals";
import { met } from "../text/met.js";
import { html } from "./html.js";

/** The module with the parts that are loaded when the first of them is needed. @type {import("@preact/signals").Signal<any>} */
const later = signal(null);

/** @type {() => Promise<any>} */
let load = async () => null;
/** @type {Promise<void> | null} */
let loading = null;

/** @param {() => Promise<any>} from imports the module */
export const loadLaterFrom = (from) => void (load = from);

/** Load the module now, since the person has begun to use the page. */
export async function loadLater() {
  if (later.value) return;
  loading ??= met(load).then((module) => {
    later.value = module;
    loading = null;
  });
  await loading;
}

/** A function of that module; undefined until the module has come. @param {string} name @returns {any} */
export function late(name) {
  void loadLater();
  return later.value?.[name];
}

/** Call a function of that module, once the module has come. @param {string} name @param {readonly any[]} given */
export async function callLate(name, ...given) {
  await loadLater();
  later.value?.[name](...given);
}

/** Make a component of that module that waits until something else has loaded it. @param {string} name */
export const waiting = (name) => () => later.value && html`<${later.value[name]} />`;

/** Make a component of that module. Nothing is drawn until the module has come. @param {string} name */
export const lazy = (name) => (/** @type {any} */ props) => {
  if (later.value) return html`<${later.value[name]} ...${props} />`;
  void loadLater();
  return null;
};

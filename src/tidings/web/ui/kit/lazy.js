import { signal } from "@preact/signals";
import { met } from "../text/met.js";
import { html } from "./html.js";

/**
 * Make a component of a module that is loaded when the component is first drawn. Until then nothing is drawn.
 * @param {() => Promise<any>} load imports the module
 * @param {string} name the component's
 */
export function lazy(load, name) {
  const component = signal(/** @type {any} */ (null));
  let loading = false;
  const begin = async () => {
    loading = true;
    component.value = (await met(load))?.[name] ?? null;
    loading = false;
  };
  return (/** @type {any} */ props) => {
    if (component.value) return html`<${component.value} ...${props} />`;
    if (!loading) void begin();
    return null;
  };
}

import { signal } from "@preact/signals";
import { scriptAddress } from "../page/trusted.js";
import { extended, settled } from "./layout-fold.js";

/** @typedef {import("./layout-fold.js").Graph} Graph */

/** The layout of the open map; null before the first. @type {import("@preact/signals").Signal<import("./layout-fold.js").Layout | null>} */
export const layout = signal(null);

/** The map could not be arranged. */
export const notArranged = signal(false);

/** @type {Worker | null} */
let worker = null;

/** Counts the maps that were opened. Answers about earlier ones are dropped. */
let opened = 0;

/** The worker is busy. */
let busy = false;

/** The graph to be laid out after the present one. @type {{graph: Graph, anew: boolean} | null} */
let next = null;

/**
 * Make the layout hold a graph. What is new is added at once while it is little; else a worker arranges all of it.
 * @param {Graph} graph
 * @param {boolean} [anew] arrange all of it
 */
export function lay(graph, anew = false) {
  const before = layout.peek();
  const more = before && !anew ? extended(before, graph) : null;
  if (more) {
    if (more !== before) layout.value = more;
  } else if (busy) next = { graph, anew };
  else ask(graph);
}

/** @param {Graph} graph */
function ask(graph) {
  busy = true;
  if (!worker) {
    worker = new Worker(scriptAddress(new URL("./layout-worker.js", import.meta.url).href), { type: "module" });
    worker.onmessage = take;
    worker.onerror = () => {
      notArranged.value = true;
      end();
    };
  }
  worker.postMessage({ id: opened, graph });
}

/** @param {MessageEvent} message */
function take({ data }) {
  if (data.id !== opened) return;
  busy = false;
  notArranged.value = !data.layout;
  if (data.layout) layout.value = settled(layout.peek(), data.layout);
  const after = next;
  next = null;
  if (after) lay(after.graph, after.anew);
}

function end() {
  worker?.terminate();
  worker = null;
  busy = false;
  next = null;
}

/** Forget the layout, since another map is opened or none. */
export function forgetLayout() {
  opened += 1;
  end();
  layout.value = null;
  notArranged.value = false;
}

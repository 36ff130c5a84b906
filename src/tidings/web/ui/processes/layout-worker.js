/** The worker that arranges maps. An import map does not reach workers, so that the library is named by its address. */
import { arrange } from "./layout-fold.js";

/** @type {any} */
const worker = self;

const library = import(new URL("../../vendor/dagre.mjs", import.meta.url).href);

worker.onmessage = async (/** @type {MessageEvent} */ { data }) => {
  try {
    const { default: dagre } = await library;
    worker.postMessage({ id: data.id, layout: arrange(dagre, data.graph) });
  } catch (error) {
    worker.postMessage({ id: data.id, problem: String(error) });
  }
};

import { save } from "../kit/save.js";
import { activitiesCsv, edgesCsv, svg, variantsCsv } from "./export-fold.js";
import { bounds } from "./layout-fold.js";
import { layout } from "./layout-state.js";
import { map, process } from "./state.js";
import { aboutOf, labelOf } from "./words.js";

/** Save the map as it is drawn. */
export function saveMap() {
  const drawn = map.value;
  if (!drawn || !layout.value) return;
  const names = drawn.nodes.map(({ activity }) => activity);
  const box = bounds(layout.value, names, drawn.edges);
  const { name } = process.value;
  save(`${name}.svg`, "image/svg+xml", svg(name, drawn, layout.value, box, labelOf, aboutOf));
}

/** Save a table. @param {"edges" | "activities" | "variants"} what */
export function saveTable(what) {
  const { name, figures } = process.value;
  if (!figures) return;
  const made = { edges: edgesCsv, activities: activitiesCsv, variants: variantsCsv }[what](figures);
  save(`${name}-${what}.csv`, "text/csv;charset=utf-8", made);
}

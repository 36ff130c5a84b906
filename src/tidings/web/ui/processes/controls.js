import { html, valueOf } from "../kit/html.js";
import { counted, number } from "../text/format.js";
import { direction, map, measure, process, setDirection, steps, threshold } from "./state.js";

/** The controls above the map: the threshold with what it hides, the figure on edges, the direction. */
export function Controls() {
  return html`
    <div class="map-controls">
      <${Threshold} />
      <${Choice}
        label="Figure on edges"
        options=${{ cases: "Cases", time: "Median time" }}
        value=${measure.value}
        onChoose=${(/** @type {"cases" | "time"} */ to) => (measure.value = to)}
      />
      <${Choice}
        label="Direction"
        options=${{ down: "Top down", right: "Left right" }}
        value=${direction.value}
        onChoose=${setDirection}
      />
    </div>
  `;
}

function Threshold() {
  const drawn = map.value;
  const edges = process.value.figures?.edges.length ?? 0;
  if (!drawn || edges === 0) return null;
  const at = Math.max(
    0,
    steps.value.findLastIndex((cases) => cases <= drawn.least),
  );
  const all = process.value.figures?.activities.length ?? 0;
  const hidden = all - drawn.nodes.length;
  const shown = `${number(drawn.edges.length)} of ${counted(edges, "edge")}`;
  return html`
    <div class="threshold">
      <label for="map-threshold">Edges with at least</label>
      <input
        id="map-threshold"
        type="range"
        min="0"
        max=${steps.value.length - 1}
        value=${at}
        disabled=${steps.value.length < 2}
        aria-valuetext=${`${counted(drawn.least, "case")}, ${shown}`}
        onInput=${(/** @type {Event} */ event) => (threshold.value = steps.value[Number(valueOf(event))])}
      />
      <b>${counted(drawn.least, "case")}</b>
      <span class="hides"
        >${shown}${hidden > 0 && `, ${number(all - hidden)} of ${counted(all, "activity", "activities")}`}</span
      >
    </div>
  `;
}

/**
 * A choice of one of few, side by side.
 * @param {{label: string, options: Record<string, string>, value: string, onChoose: (value: any) => void}} props
 */
const Choice = ({ label, options, value, onChoose }) => html`
  <fieldset class="map-choice">
    <legend class="visually-hidden">${label}</legend>
    ${Object.entries(options).map(
      ([option, text]) => html`
        <label class=${option === value ? "on" : ""}>
          <input
            type="radio"
            name=${label}
            value=${option}
            checked=${option === value}
            onChange=${() => onChoose(option)}
          />
          ${text}
        </label>
      `,
    )}
  </fieldset>
`;

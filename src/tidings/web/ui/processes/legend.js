import { html } from "../kit/html.js";
import { compact } from "../page/layout.js";
import { counted } from "../text/format.js";
import { process } from "./state.js";

/** The meaning of what is drawn, and what a map of this kind cannot say. */
export function Legend() {
  const { figures } = process.value;
  const about = figures ? notes(figures) : [];
  return html`
    <details class="legend" open=${!compact.value}>
      <summary>Legend</summary>
      <ul>
        <li><i class="wide" />Many cases</li>
        <li><i class="thin" />Few cases</li>
        <li><i class="dot" />Cases that have just come</li>
      </ul>
      <p>
        An edge leads to the activity that directly follows in a case. Edges do not say what runs in parallel, nor that
        a case took a whole path: the variants do.
      </p>
      ${about.map((text) => html`<p key=${text}>${text}</p>`)}
    </details>
  `;
}

/** Notes on what is not exact, folded together or left out. @param {import("./map-fold.js").Figures} figures */
function notes({ edges, folded, refused }) {
  const { activities, edges: others, cases, other } = folded;
  return [
    edges.some(({ exact }) => !exact) && "Medians of more than 1,000 times are approximate, within 1\u00a0%.",
    activities > 0 && `${counted(activities, "event")} of activities beyond 1,000 are shown as \u201c${other}\u201d.`,
    others > 0 && `${counted(others, "event")} of edges beyond 20,000 are not shown.`,
    cases > 0 && `${counted(cases, "case")} of variants beyond 20,000 are counted together.`,
    refused > 0 && `${counted(refused, "event")} cannot be mined and ${refused === 1 ? "is" : "are"} left out.`,
  ].filter((text) => text !== false);
}

import { html } from "../kit/html.js";
import { counted, number } from "../text/format.js";
import { span } from "./span-fold.js";
import { choose, process } from "./state.js";

/** Rows that a table shows. The files have all of them. */
const MOST = 1000;

/** The figures of a map as tables: every activity and edge, not only those that are drawn. */
export function Tables() {
  const { figures, name } = process.value;
  if (!figures) return null;
  const edges = [...figures.edges].sort((a, b) => b.cases - a.cases || b.events - a.events);
  return html`
    <div class="map-tables" tabindex="0" role="region" aria-label=${`Figures of ${name}`} id="composer">
      <${Table}
        title="Activities"
        heads=${["Activity", "Cases", "Events", "Begins", "Here now", "Oldest"]}
        rows=${figures.activities.map(({ activity, cases, events, open, oldest }) => ({
          key: activity,
          head: activity,
          open: () => choose({ activity }),
          cells: [
            number(cases),
            number(events),
            number(figures.start[activity] ?? 0),
            number(open),
            oldest === null ? "" : span(oldest),
          ],
        }))}
      />
      <${Table}
        title="Edges"
        heads=${["Edge", "Cases", "Events", "Median", "Mean", "Shortest", "Longest", "In all"]}
        rows=${edges.map((edge) => ({
          key: `${edge.from}\0${edge.to}`,
          head: `${edge.from} \u2192 ${edge.to}`,
          open: () => choose({ edge: [edge.from, edge.to] }),
          cells: [
            number(edge.cases),
            number(edge.events),
            `${edge.exact ? "" : "about "}${span(edge.median)}`,
            span(edge.mean),
            span(edge.min),
            span(edge.max),
            span(edge.sum),
          ],
        }))}
      />
    </div>
  `;
}

/** @param {{title: string, heads: string[], rows: {key: string, head: string, open: () => void, cells: string[]}[]}} props */
const Table = ({ title, heads, rows }) => html`
  <table>
    <caption>
      ${title}
    </caption>
    <thead>
      <tr>
        ${heads.map((head) => html`<th scope="col">${head}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.slice(0, MOST).map(
        ({ key, head, open, cells }) => html`
          <tr key=${key}>
            <th scope="row"><button type="button" class="link" dir="auto" onClick=${open}>${head}</button></th>
            ${cells.map((cell) => html`<td>${cell}</td>`)}
          </tr>
        `,
      )}
    </tbody>
  </table>
  ${rows.length > MOST && html`<p class="none">${counted(rows.length - MOST, "row")} more are in the file.</p>`}
`;

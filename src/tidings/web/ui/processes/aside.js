import { html } from "../kit/html.js";
import { Aside } from "../kit/aside.js";
import { counted, number } from "../text/format.js";
import { CaseEvents, CaseList } from "./cases.js";
import { share } from "./map-fold.js";
import { span } from "./span-fold.js";
import { casesPath, choose, narrow, openCase, process, subject } from "./state.js";
import { Variants } from "./variants.js";

/** The aside of a map: an edge or an activity with its cases, a case with its events, or the variants. */
export function ProcessAside() {
  const { figures, name } = process.value;
  const about = subject.value;
  if (!figures || !about) return null;
  const close = () => choose(null);
  if (openCase.value !== null)
    return html`<${Aside} title="Case" kind="process-aside" closeLabel="Close the details" onClose=${close}>
      <${CaseEvents} key=${openCase.value} process=${name} id=${openCase.value} />
    <//>`;
  if ("variants" in about)
    return html`<${Aside} title="Variants" kind="process-aside" closeLabel="Close the variants" onClose=${close}>
      <${Variants} figures=${figures} />
    <//>`;
  if ("edge" in about)
    return html`<${Aside} title="Edge" kind="process-aside" closeLabel="Close the details" onClose=${close}>
      <${EdgeDetails} figures=${figures} from=${about.edge[0]} to=${about.edge[1]} />
    <//>`;
  return html`<${Aside} title="Activity" kind="process-aside" closeLabel="Close the details" onClose=${close}>
    <${ActivityDetails} figures=${figures} activity=${about.activity} />
  <//>`;
}

/** @param {{term: string, children?: any}} props */
const Fact = ({ term, children }) =>
  html`<div>
    <dt>${term}</dt>
    <dd>${children}</dd>
  </div>`;

/** @param {{figures: import("./map-fold.js").Figures, from: string, to: string}} props */
function EdgeDetails({ figures, from, to }) {
  const edge = figures.edges.find((one) => one.from === from && one.to === to);
  return html`
    <section aria-label="Figures">
      <h3 class="subject" dir="auto">
        ${from} <span aria-hidden="true">→</span><span class="visually-hidden">to</span> ${to}
      </h3>
      ${
        edge
          ? html`<dl>
              <${Fact} term="Cases"
                >${number(edge.cases)} of ${number(figures.cases)} (${share(edge.cases, figures.cases)})<//
              >
              <${Fact} term="Events">${number(edge.events)}<//>
              <${Fact} term="Median time">${!edge.exact && "about "}${span(edge.median)}<//>
              <${Fact} term="Mean time">${span(edge.mean)}<//>
              <${Fact} term="Shortest">${span(edge.min)}<//>
              <${Fact} term="Longest">${span(edge.max)}<//>
              <${Fact} term="In all">${span(edge.sum)}<//>
            </dl>`
          : html`<p class="none">No case takes this edge any more.</p>`
      }
    </section>
    <${CaseList}
      key=${`${from}\0${to}`}
      path=${casesPath({ from, to })}
      order="slowest first"
      time="Time"
      now=${edge?.events ?? 0}
    />
  `;
}

/** @param {{figures: import("./map-fold.js").Figures, activity: string}} props */
function ActivityDetails({ figures, activity }) {
  const found = figures.activities.find((one) => one.activity === activity);
  const [begin, end] = [figures.start[activity] ?? 0, figures.end[activity] ?? 0];
  return html`
    <section aria-label="Figures">
      <h3 class="subject" dir="auto">${activity}</h3>
      <p class="narrowing">
        <button type="button" class="button" onClick=${() => narrow({ kind: "with", value: activity })}>
          Cases with it
        </button>
        <button type="button" class="button" onClick=${() => narrow({ kind: "without", value: activity })}>
          Cases without it
        </button>
      </p>
      ${
        found
          ? html`<dl>
              <${Fact} term="Cases"
                >${number(found.cases)} of ${number(figures.cases)} (${share(found.cases, figures.cases)})<//
              >
              <${Fact} term="Events">${number(found.events)}<//>
              <${Fact} term="Begins">${counted(begin, "case")}<//>
              <${Fact} term="Last event of">${counted(end, "case")}<//>
              ${found.oldest !== null && html`<${Fact} term="Oldest of them">${span(found.oldest)}<//>`}
            </dl>`
          : html`<p class="none">No event is of this activity any more.</p>`
      }
    </section>
    <${CaseList}
      key=${activity}
      path=${casesPath({ at: activity })}
      title="Cases whose last event it is"
      order="longest there first"
      time="For"
      now=${found?.open ?? 0}
    />
  `;
}

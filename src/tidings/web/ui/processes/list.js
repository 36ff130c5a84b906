import { useEffect } from "preact/hooks";
import { html } from "../kit/html.js";
import { Item } from "../kit/item.js";
import { Nothing } from "../kit/nothing.js";
import { Section } from "../kit/section.js";
import { openProcess } from "../page/address.js";
import { session } from "../session/state.js";
import { addressOf, goProcess, listProcesses, notListed, process, processes } from "./state.js";

/** Read the list when somebody signs in, and when a process that it lacks is open. */
function useList() {
  const who = session.value && (session.value.name ?? "");
  const begun = process.value.status === "ready" && !processes.value?.includes(process.value.name);
  useEffect(() => {
    if (who !== null) void listProcesses();
  }, [who]);
  useEffect(() => {
    if (begun) void listProcesses();
  }, [begun]);
}

/** The section of the side bar, where there are processes. */
export function ProcessSection() {
  useList();
  const names = processes.value ?? [];
  if (names.length === 0) return null;
  return html`
    <${Section} name="Processes"
      >${(/** @type {boolean} */ folded) =>
        html`<ul>
          ${names.filter((name) => !folded || name === openProcess.value).map((name) => html`<li key=${name}><${ProcessItem} name=${name} /></li>`)}
        </ul>`}<//
    >
  `;
}

/** @param {{name: string}} props */
const ProcessItem = ({ name }) => html`
  <${Item}
    href=${addressOf(name)}
    icon="workflow"
    label=${name}
    current=${openProcess.value === name}
    onOpen=${() => goProcess(name)}
    items=${[]}
  />
`;

/** The page with all processes. */
export function ProcessList() {
  useList();
  const names = processes.value;
  if (notListed.value && !names)
    return html`<${Nothing} title="Processes not loaded" text="The server cannot be reached.">
      <button type="button" class="button primary" onClick=${() => void listProcesses()}>Try again</button>
    <//>`;
  if (names?.length === 0)
    return html`<${Nothing}
      title="No processes"
      text="Events of cases that are published to a topic process.NAME appear here as a map."
    >
      <code>tidings process import FILE --topic process.NAME</code>
    <//>`;
  return html`
    <div class="processes" tabindex="0" role="region" aria-label="Processes" id="composer">
      ${names === null && html`<p class="reading" role="status">Loading processes</p>`}
      <ul>
        ${names?.map((name) => html`<li key=${name}><${ProcessItem} name=${name} /></li>`)}
      </ul>
    </div>
  `;
}

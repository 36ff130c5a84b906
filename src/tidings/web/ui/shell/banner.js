import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { connection, offline, replayed, connectionStatus, tidings } from "../connection/state.js";
import { shown } from "../conversation/shown-state.js";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { pending } from "../outbox/state.js";
import { compact, signingIn } from "../page/layout.js";
import { asOf, signedOut } from "../session/state.js";
import { counted, time } from "../text/format.js";

/** The banner under the page header: one problem of the connection at a time, or its end. */
export function Banner() {
  return html`<div class="banner-frame" role="status">${banner()}</div>`;
}

function banner() {
  const waiting = pending.value.length;
  if (signedOut.value) {
    return html`
      <${Strip} kind="amber" icon="log-in" what="Your session ended." means="Your draft is kept.">
        <button type="button" class="button" onClick=${() => (signingIn.value = true)}>Sign in</button>
      <//>
    `;
  }
  if (offline.value) {
    const held = asOf.value !== null ? `This is what was here at ${time(asOf.value)}. ` : "";
    const means =
      waiting > 0 ? `${waiting} ${waiting === 1 ? "waits" : "wait"} here.` : "What you send waits here, in order.";
    return html`<${Strip} kind="red" icon="cloud-off" what="You are offline." means=${held + means} />`;
  }
  if (connectionStatus.value === "lost") return html`<${Reconnecting} waiting=${waiting} />`;
  if (connection.value.problem) {
    return html`<${Strip}
      kind="amber"
      icon="circle-alert"
      what="Not connected."
      means=${connection.value.problem.message}
      ><${Now}
    /><//>`;
  }
  if (shown.value?.status.value === "trimmed") {
    return html`<${Strip}
      kind="amber"
      icon="scissors"
      what="Some events are gone."
      means="Retention trimmed the beginning."
    />`;
  }
  if (connectionStatus.value === "back") {
    return html`<${Strip}
      kind="tide"
      icon="check"
      what="Back online."
      means=${`${counted(replayed.value, "event")} replayed.`}
    />`;
  }
  return null;
}

/** @param {{waiting: number}} props */
function Reconnecting({ waiting }) {
  const now = useSignal(Date.now());
  useEffect(() => {
    const timer = setInterval(() => (now.value = Date.now()), 250);
    return () => clearInterval(timer);
  }, []);
  const { retryAt } = connection.value;
  const seconds = retryAt ? Math.ceil((retryAt - now.value) / 1000) : 0;
  const what = seconds > 0 ? `Reconnecting in ${seconds}\u00a0s.` : "Reconnecting.";
  return html`
    <${Strip}
      kind="amber"
      icon="wifi-off"
      what=${html`<span aria-hidden="true">${what}</span><span class="visually-hidden">Reconnecting.</span>`}
      means=${compact.value ? "Nothing is lost." : "Nothing is lost. What you send now waits here, in order."}
    >
      ${waiting > 0 && html`<b class="waiting">${waiting} waiting</b>`}<${Now} />
    <//>
  `;
}

const Now = () =>
  html`<button type="button" class="button" onClick=${() => tidings.reconnect()}>Reconnect now</button>`;

/** @param {{kind: "amber" | "red" | "tide", icon: string, what: any, means: string, children?: any}} props */
const Strip = ({ kind, icon, what, means, children }) => html`
  <div class=${`banner ${kind}`}>
    <${Icon} name=${icon} />
    <p><b>${what}</b> ${means}</p>
    ${children}
  </div>
`;

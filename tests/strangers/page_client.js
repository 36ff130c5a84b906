/** Readers of event streams from npm in a page of a browser. `strangers[NAME](url, tell)` follows a URL. */
import { fetchEventSource } from "@microsoft/fetch-event-source";
import { EventSourcePolyfill } from "event-source-polyfill";
import ReconnectingEventSource from "reconnecting-eventsource";

const standard = (Kind) => (url, tell) => {
  const source = new Kind(url);
  // With `onmessage` alone, reconnecting-eventsource 1.6.5 keeps no last event ID.
  source.addEventListener("message", (event) => tell("event", event.data));
  source.onerror = () => source.readyState === 2 && tell("ended", "returned");
};

const htmx = (attributes) => (url, tell) => {
  document.body.innerHTML = `<div hx-swap="beforeend" ${attributes.replace("URL", url.replaceAll("&", "&amp;"))}></div>`;
  const list = document.body.firstChild;
  new MutationObserver((changes) => {
    for (const change of changes) for (const node of change.addedNodes) tell("event", node.textContent);
  }).observe(list, { childList: true });
  for (const name of ["htmx:sseClose", "htmx:sse:close"]) list.addEventListener(name, () => tell("ended", "returned"));
  window.htmx.process(document.body);
};

window.strangers = {
  "browser’s own": standard(window.EventSource),
  "event-source-polyfill": standard(EventSourcePolyfill),
  "reconnecting-eventsource": standard(ReconnectingEventSource),
  "@microsoft/fetch-event-source": (url, tell) =>
    fetchEventSource(url, {
      onmessage: ({ event, data }) => (event === "" || event === "message") && tell("event", data),
    }).then(
      () => tell("ended", "returned"),
      (error) => tell("ended", error.name),
    ),
  "htmx 2": htmx('hx-ext="sse" sse-connect="URL" sse-swap="message" sse-close="tidings.end"'),
  "htmx 4": htmx('hx-sse:connect="URL"'),
  "htmx 4, hx-sse:close": htmx('hx-sse:connect="URL" hx-sse:close="tidings.end"'),
};

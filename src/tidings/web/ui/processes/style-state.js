import { signal } from "@preact/signals";
import { element } from "../text/element.js";
import { MISSING } from "../text/met.js";

/** The style sheet of maps, which no other page needs, has come. */
export const styled = signal(false);

let asked = false;

/** Fetch the style sheet, once. */
export function loadStyle() {
  if (asked) return;
  asked = true;
  const href = new URL("./processes.css", import.meta.url).pathname;
  const link = element("link", { rel: "stylesheet", href });
  link.addEventListener("load", () => (styled.value = true));
  link.addEventListener("error", () => {
    asked = false;
    dispatchEvent(new Event(MISSING));
  });
  document.head.append(link);
}

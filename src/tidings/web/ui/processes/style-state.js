import { signal } from "@preact/signals";
import { loadSheet, met } from "../text/met.js";

/** The style sheets of maps, which no other page needs, have come. */
export const styled = signal(false);

let asked = false;

/** Fetch the style sheets, once. */
export async function loadStyle() {
  if (asked) return;
  asked = true;
  const sheets = [new URL("./map.css", import.meta.url), new URL("./details.css", import.meta.url)];
  styled.value = !!(await met(() => Promise.all(sheets.map(loadSheet))));
  asked = styled.value;
}

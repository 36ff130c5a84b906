import { signal } from "@preact/signals";
import { element } from "../text/element.js";
import { met } from "../text/met.js";

/** The style sheets of maps, which no other page needs, have come. */
export const styled = signal(false);

let asked = false;

/** Fetch the style sheets, once. */
export async function loadStyle() {
  if (asked) return;
  asked = true;
  const sheets = [new URL("./map.css", import.meta.url), new URL("./details.css", import.meta.url)];
  styled.value = !!(await met(() => Promise.all(sheets.map(fetched))));
  asked = styled.value;
}

/** @param {URL} sheet @returns {Promise<true>} */
const fetched = (sheet) =>
  new Promise((resolve, reject) => {
    const link = element("link", { rel: "stylesheet", href: sheet.pathname });
    link.addEventListener("load", () => resolve(true));
    link.addEventListener("error", reject);
    document.head.append(link);
  });

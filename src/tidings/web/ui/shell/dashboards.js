import { Part } from "../kit/lazy.js";
import { loadSheet } from "../text/met.js";

/** The pages of dashboards and alerts, with their style sheet. A person who opens none loads none of it. */
export const dashboards = new Part(async () => {
  const style = loadSheet(new URL("../alerts/alerts.css", import.meta.url));
  const [module] = await Promise.all([import("../alerts/alerts.js"), style]);
  return module;
});

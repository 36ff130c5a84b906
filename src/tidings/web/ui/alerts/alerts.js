/** The pages of alerts and of dashboards, which are loaded when the first is opened. */
import { useEffect } from "preact/hooks";
import { useClock } from "../dashboards/clock.js";
import { html } from "../kit/html.js";
import { openAlert } from "../page/address.js";
import { RuleForm } from "./form.js";
import { AlertList } from "./list.js";
import { RulePage } from "./rule.js";
import { close, editing, open, opened } from "./state.js";

export { DashboardHeader, DashboardPage } from "../dashboards/dashboards.js";
export { AlertHeader } from "./header.js";

/** The list of alerts, a rule, or the form of a rule. */
export function AlertPage() {
  const id = /** @type {string} */ (openAlert.value);
  useEffect(() => {
    open(id);
    return close;
  }, [id]);
  useClock();
  if (id === "") return html`<${AlertList} />`;
  if (id === "new") return html`<${RuleForm} key="new" before=${null} />`;
  const one = opened.value;
  return one && editing.value ? html`<${RuleForm} key=${id} before=${one} />` : html`<${RulePage} key=${id} />`;
}

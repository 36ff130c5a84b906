/** The pages of dashboards. */
import { html } from "../kit/html.js";
import { openDashboard } from "../page/address.js";
import { DashboardList } from "./list.js";
import { Board } from "./page.js";

export { DashboardHeader } from "./header.js";

export const DashboardPage = () => (openDashboard.value ? html`<${Board} />` : html`<${DashboardList} />`);

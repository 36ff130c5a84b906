/** The places that are drawn by modules that are loaded later: documentation, maps of processes, dashboards and alerts. */
import { DocHeader, DocPage } from "../docs/page.js";
import { docTitle } from "../docs/state.js";
import { html } from "../kit/html.js";
import { openAlert, openDashboard, openDoc } from "../page/address.js";
import { partTitle } from "../page/layout.js";
import { ProcessAside } from "../processes/aside.js";
import { ProcessHeader } from "../processes/header.js";
import { ProcessPage } from "../processes/page.js";
import { processTitle } from "../processes/state.js";
import { dashboards } from "./dashboards.js";

const DashboardHeader = dashboards.lazy("DashboardHeader");
const DashboardPage = dashboards.lazy("DashboardPage");
const AlertHeader = dashboards.lazy("AlertHeader");
const AlertPage = dashboards.lazy("AlertPage");

/** Choose what belongs to the open place. @param {{doc: any, dashboard: any, alert: any, process: any}} each @returns {any} */
function ofOpen({ doc, dashboard, alert, process }) {
  if (openDoc.value) return doc;
  if (openDashboard.value !== null) return dashboard;
  return openAlert.value !== null ? alert : process;
}

/** The header of the open place. */
const header = () => ofOpen({ doc: DocHeader, dashboard: DashboardHeader, alert: AlertHeader, process: ProcessHeader });

/** The page of the open place. */
const page = () => ofOpen({ doc: DocPage, dashboard: DashboardPage, alert: AlertPage, process: ProcessPage });

/** The title of the open place. */
export const laterTitle = () =>
  ofOpen({ doc: docTitle, dashboard: partTitle, alert: partTitle, process: processTitle }).value;

/** @param {{bell: any}} props `bell`: a phone shows it here, other pages in the side bar */
export const LaterHeader = ({ bell }) => html`<${header()} bell=${bell} />`;

export const LaterPage = () => html`<${page()} />`;

export const LaterAside = ProcessAside;

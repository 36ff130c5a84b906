/** The service worker, which shows the page when there is no network. Browsers have it over https and on loopback. */
import { serverRoot } from "./root.js";
import { scriptAddress } from "./trusted.js";

/** Register the service worker once the page is loaded, so that it takes nothing from the first load. */
export function start() {
  if (!navigator.serviceWorker) return;
  const register = () =>
    // In a private window of some browsers it is refused. The page works without it.
    void navigator.serviceWorker.register(scriptAddress(`${serverRoot}service-worker.js`)).catch(() => {});
  if (document.readyState === "complete") register();
  else addEventListener("load", register, { once: true });
}

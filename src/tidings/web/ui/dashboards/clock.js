import { useEffect } from "preact/hooks";
import { serverTime } from "../connection/state.js";
import { passAll } from "./feeds-state.js";
import { now, paused, range, stepOf } from "./view-state.js";

/** Let time go by in the charts while a page that has some is shown. */
export function useClock() {
  useEffect(() => {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const timer = setInterval(() => {
      const time = serverTime();
      passAll(time);
      if (!paused.value) now.value = time;
    }, stepOf(still));
    return () => clearInterval(timer);
  }, [range.value]);
}

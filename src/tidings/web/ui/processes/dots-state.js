/** The dots that run along edges while cases take them. */
import { signal } from "@preact/signals";

/** The most dots at once, and the milliseconds that one takes. */
const MOST = 12;
export const RUN = 600;

/** The edges along which dots run, by key. Each has a number, so that the next dot is another one. @type {import("@preact/signals").Signal<readonly {key: string, number: number}[]>} */
export const dots = signal([]);

const still = matchMedia("(prefers-reduced-motion: reduce)");
let number = 0;

/** Let a dot run along each edge that has none, as long as there are few. @param {readonly string[]} keys the most frequent first */
export function run(keys) {
  if (still.matches || document.hidden) return;
  const taken = new Set(dots.value.map(({ key }) => key));
  const free = keys.filter((key) => !taken.has(key)).slice(0, MOST - dots.value.length);
  if (free.length === 0) return;
  const more = free.map((key) => ({ key, number: (number += 1) }));
  dots.value = [...dots.value, ...more];
  setTimeout(() => (dots.value = dots.value.filter((dot) => !more.includes(dot))), RUN);
}

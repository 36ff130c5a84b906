/** Times below a chart and in its tooltip. */

/** @param {Intl.DateTimeFormatOptions} options */
const format = (options) => new Intl.DateTimeFormat("en-GB", { hourCycle: "h23", ...options });
const second = format({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
const minute = format({ hour: "2-digit", minute: "2-digit" });
const day = format({ day: "numeric", month: "short" });

/** The texts of the ticks of an axis of time. @param {readonly number[]} at Unix seconds @param {number} step seconds between two of them */
export function ticks(at, step) {
  const form = step < 60 ? second : step < 86_400 ? minute : day;
  return at.map((time) => {
    const date = new Date(time * 1000);
    const midnight = date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0;
    return (midnight && step >= 60 ? day : form).format(date);
  });
}

/** The time of a column. @param {number} time Unix seconds @param {number} step its width, in seconds */
export function stamp(time, step) {
  const date = new Date(time * 1000);
  const clock = (step < 60 ? second : minute).format(date);
  return Date.now() / 1000 - time > 43_200 ? `${day.format(date)}, ${clock}` : clock;
}

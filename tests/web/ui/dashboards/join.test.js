/** History and live events of a real server: the columns that the page makes are those that the server answers later. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Tidings } from "../../../../src/tidings/web/client/index.js";
import { Columns } from "../../../../src/tidings/web/ui/dashboards/series-fold.js";
import { serve, stopServers } from "../../serving.js";

/** @type {string} */
let url;
/** @type {Tidings} */
let tidings;
before(async () => {
  url = await serve();
  tidings = new Tidings(url);
});
after(() => (tidings.close(), stopServers()));

const SPECS = /** @type {import("../../../../src/tidings/web/ui/dashboards/series-fold.js").Spec[]} */ (
  ["rate", "count", "sum", "mean", "min", "max", "last"].map((agg) => ({
    topic: "orders",
    field: agg === "rate" || agg === "count" ? "" : "amount",
    agg,
    by: agg === "sum" || agg === "rate" ? "country" : "",
  }))
);

/** @param {import("../../../../src/tidings/web/ui/dashboards/series-fold.js").Spec} spec @param {number} from */
function ask({ topic, field, agg, by }, from) {
  const query = new URLSearchParams({ topic, agg, from: String(from), to: "0", points: "1000" });
  if (field) query.set("field", field);
  if (by) query.set("by", by);
  return tidings.request("GET", `/series?${query}`);
}

/** @param {number} count @param {number} first */
const publish = (count, first) =>
  tidings.publishMany(
    "orders",
    Array.from({ length: count }, (_, n) => ({
      data: { amount: (first + n) % 7, country: ["NO", "SE", "DK"][(first + n) % 3] },
    })),
  );

const pause = (/** @type {number} */ milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

test("no event is missing and none counts twice where history meets live", async () => {
  await publish(50, 0);
  const made = [];
  for (const spec of SPECS) {
    await publish(3, 50); // each answer ends at another offset
    made.push({ spec, answer: await ask(spec, -60) });
  }
  const all = made.map(({ spec, answer }) => {
    const columns = new Columns(spec, answer, 60, Date.now() / 1000);
    const onEvents = (/** @type {any[]} */ events) => columns.take(events);
    return {
      spec,
      columns,
      reader: tidings.subscribe("orders", { after: answer.offset, onEvents, onReset: () => {} }),
    };
  });
  for (let part = 0; part < 6; part += 1) {
    await publish(20, part * 20);
    await pause(300);
  }
  const { last } = await publish(1, 0);
  while (all.some(({ reader }) => reader.position !== last)) await pause(20);
  await pause(2100); // the second of the last event has passed, also for the server's columns
  for (const { spec, columns } of all) {
    columns.pass(Date.now() / 1000);
    const answer = await ask(spec, -30);
    assert.equal(answer.lines.length, columns.lines.length);
    for (const { group, values } of answer.lines) {
      const line = columns.lines.find((one) => one.group === group);
      const first = answer.from - columns.from;
      const until = values.length - 2; // the last ones may not have passed here or there
      const short = (/** @type {number | null} */ value) => (value === null ? null : Number(value.toPrecision(6)));
      assert.deepEqual(
        line?.values.slice(first, first + until).map(short),
        values.slice(0, until).map(short),
        spec.agg,
      );
    }
  }
});

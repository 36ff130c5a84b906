/* Bills orders, each once, though it may be killed and started again at any time: its place is kept in a file, with what it
   has done. The client reconnects by itself; a log that was trimmed meanwhile is not passed over in silence.

       tidings serve
       node examples/bill_orders.mjs http://127.0.0.1:8000 place.json

   Each line on standard input is an order to place: `{"customer": "ada", "total": 12}`. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";

import { Reset, Tidings } from "../src/tidings/web/client/index.js";

const [url, file] = process.argv.slice(2);
const tidings = new Tidings(url);

const kept = { after: "0-0", billed: {} };
try {
  Object.assign(kept, JSON.parse(readFileSync(file, "utf8")));
} catch {
  console.log("Starting from the first order there is.");
}

/** The place and the work are kept together, or a crash between them would bill an order twice, or never. */
function bill({ offset, data: { customer, total } }) {
  kept.billed[customer] = (kept.billed[customer] ?? 0) + total;
  kept.after = offset;
  writeFileSync(`${file}.new`, JSON.stringify(kept));
  renameSync(`${file}.new`, file);
  console.log(`${customer} owes ${kept.billed[customer]}`);
}

createInterface({ input: process.stdin }).on("line", (line) => {
  // Waits for the server if it has to, in order, and is stored once.
  tidings.publish("orders", JSON.parse(line)).catch((problem) => console.log(`Refused: ${problem.message}`));
});

for (;;) {
  try {
    for await (const order of tidings.subscribe("orders", { after: kept.after })) bill(order);
    break; // the topic is closed
  } catch (error) {
    if (!(error instanceof Reset)) throw error;
    console.log(`Orders up to ${error.offset} are gone (${error.reason}): bill them by hand.`);
    kept.after = error.offset;
  }
}

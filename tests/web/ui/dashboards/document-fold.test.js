import assert from "node:assert/strict";
import { test } from "node:test";

import * as doc from "../../../../src/tidings/web/ui/dashboards/document-fold.js";

/** @param {string[]} ids @returns {doc.Dashboard} */
const board = (...ids) => ({
  version: 1,
  title: "B",
  cards: ids.map((id) => ({ id, kind: "text", title: id, text: id })),
});

const ids = (/** @type {doc.Dashboard} */ { cards }) => cards.map(({ id }) => id).join("");

const form = {
  kind: "line",
  title: " Orders ",
  width: "6",
  text: "",
  unit: "",
  thresholds: "",
  min: "",
  max: "",
  series: JSON.stringify([{ topic: " orders ", field: "", agg: "rate", by: "country", label: "" }]),
};

test("cards are moved, put, resized and removed without a change of the document before", () => {
  const before = board("a", "b", "c");
  assert.equal(ids(doc.moved(before, "a", 2)), "bca");
  assert.equal(ids(doc.moved(before, "c", 0)), "cab");
  assert.equal(ids(doc.moved(before, "a", 99)), "bca");
  assert.equal(doc.moved(before, "a", 0), before);
  assert.equal(doc.moved(before, "nothing", 1), before);
  assert.equal(ids(doc.without(before, "b")), "ac");
  assert.equal(doc.widthOf(doc.resized(before, "a", 1).cards[0]), 8);
  assert.equal(doc.resized(doc.put(before, { ...before.cards[0], width: 12 }), "a", 1).cards[0].width, 12);
  assert.equal(ids(before), "abc");
});

test("an id is made of the title, and is unlike the others", () => {
  assert.equal(doc.idFor("Bestellungen für Übersee!", []), "bestellungen-fur-ubersee");
  assert.equal(doc.idFor("a", board("a", "a-2").cards), "a-3");
  assert.equal(doc.idFor("注文", []), "card");
});

test("a form makes a card, and names the field that is wrong", () => {
  assert.deepEqual(doc.cardOf({ ...form, thresholds: "200 500", min: "0,5", unit: "s" }, "o"), {
    id: "o",
    kind: "line",
    title: "Orders",
    width: 6,
    unit: "s",
    thresholds: [200, 500],
    min: 0.5,
    series: [{ topic: "orders", agg: "rate", by: "country" }],
  });
  assert.deepEqual(doc.cardOf({ ...form, kind: "text", text: "Hello" }, "o"), {
    id: "o",
    kind: "text",
    title: "Orders",
    width: 6,
    text: "Hello",
  });
  const wrong = (/** @type {object} */ change) => () => doc.cardOf({ ...form, ...change }, "o");
  assert.throws(wrong({ title: " " }), /^Error: title:/);
  assert.throws(wrong({ max: "many" }), /^Error: max: many is no number/);
  assert.throws(wrong({ thresholds: "1 x" }), /^Error: thresholds: x is no number/);
  assert.throws(wrong({ series: "[]" }), /^Error: series:/);
  assert.throws(
    wrong({ series: JSON.stringify([{ topic: "t", field: "", agg: "mean", by: "", label: "" }]) }),
    /^Error: field:/,
  );
  assert.throws(
    wrong({ series: JSON.stringify([{ topic: "", field: "", agg: "rate", by: "", label: "" }]) }),
    /^Error: topic:/,
  );
});

test("an export is imported as it is, and other files are refused with the reason", () => {
  const one = board("a");
  assert.deepEqual(doc.imported(doc.exported(one)), one);
  assert.deepEqual(doc.imported(JSON.stringify({ id: "x", offset: "a-1", dashboard: one })), one);
  for (const [text, reason] of [
    ["{", /not JSON/],
    ["null", /^Error: cards:/],
    ["[]", /^Error: cards:/],
    ['{"cards": [], "version": 2, "title": "t"}', /^Error: version: .*version 2/],
    ['{"cards": [], "version": 1}', /^Error: title:/],
  ])
    assert.throws(() => doc.imported(/** @type {string} */ (text)), reason);
});

test("a refusal names the card and its field", () => {
  assert.deepEqual(doc.refusal("body.cards.2.width: one of 3, 4"), { card: 2, member: "width", reason: "one of 3, 4" });
  assert.deepEqual(doc.refusal("cards.0.series.1.field: `agg` needs a field."), {
    card: 0,
    member: "series.1.field",
    reason: "`agg` needs a field.",
  });
  assert.equal(doc.refusal("Only administrators change dashboards.").card, null);
});

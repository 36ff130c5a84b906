import assert from "node:assert/strict";
import { test } from "node:test";

import { tooDeep } from "../../../../src/tidings/web/ui/text/nesting.js";

test("texts that people write are not too deep", () => {
  for (const text of [
    "",
    "Plain.",
    "> a quote\n> > in a quote",
    "- a\n  - b\n    - c\n      1. d",
    "-".repeat(200),
    "| a |\n|-----|",
    "```\n" + " ".repeat(60) + "deep code\n```",
    "*".repeat(60),
  ])
    assert.equal(tooDeep(text), false, text);
});

test("texts that nest without end are too deep, wherever they do", () => {
  for (const nested of [">", "> ", "- ", "* ", "1. ", "12) ", "> - ", "\t> "])
    assert.equal(tooDeep(`Text.\n${nested.repeat(40)}x`), true, nested);
  for (const run of ["*", "_", "~", "[", "*_"]) assert.equal(tooDeep(run.repeat(200)), true, run);
  assert.equal(tooDeep(Array.from({ length: 40 }, (_, n) => `${"  ".repeat(n)}- x`).join("\n")), true);
});

test("the longest text is checked in milliseconds", () => {
  const began = performance.now();
  for (const text of [" ".repeat(200_000), "> ".repeat(8) + " ".repeat(200_000), "1".repeat(200_000)]) tooDeep(text);
  assert.ok(performance.now() - began < 2_000, "linear, not quadratic");
});

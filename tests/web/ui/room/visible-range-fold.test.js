import assert from "node:assert/strict";
import { test } from "node:test";

import * as drawn from "../../../../src/tidings/web/ui/room/visible-range-fold.js";

test("the drawn range of a long log moves with the reader", () => {
  const held = { start: -400, end: 100, screen: 30 };
  assert.deepEqual(drawn.first(held), { from: 70, to: Infinity });
  assert.deepEqual(drawn.first({ ...held, start: 80 }), { from: 80, to: Infinity });
  assert.deepEqual(drawn.first(held, 90), { from: 65, to: Infinity }, "with the line above what is new");
  assert.deepEqual(drawn.first(held, -300), { from: -325, to: -125 }, "which may be far above the end");
  assert.deepEqual(drawn.around(held, -390), { from: -400, to: -340 });
  assert.deepEqual(drawn.around(held, 99), { from: 49, to: Infinity });

  let part = drawn.first(held);
  for (const from of [20, -30, -80, -130]) assert.equal((part = drawn.upwards(part, held)).from, from);
  assert.deepEqual(part, { from: -130, to: 70 });
  while (part.from > held.start) part = drawn.upwards(part, held);
  assert.deepEqual(part, { from: -400, to: -200 });
  while (part.to !== Infinity) part = drawn.downwards(part, held);
  assert.deepEqual(part, { from: -100, to: Infinity });

  assert.equal(drawn.afterGrowth(part, held, false), part);
  assert.deepEqual(
    drawn.afterGrowth(part, { ...held, end: 150 }, false),
    { from: -40, to: Infinity },
    "the end is followed",
  );
  assert.deepEqual(
    drawn.afterGrowth(part, { ...held, end: 150 }, true),
    { from: -100, to: 100 },
    "or what one looks at stays",
  );
  const tall = { ...held, screen: 100 };
  assert.deepEqual(drawn.upwards(drawn.first(tall, -150), tall), { from: -225, to: Infinity }, "4 screens stay");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  episodesOf,
  firedOn,
  firedWords,
  judges,
  take,
} from "../../../../src/tidings/web/ui/dashboards/episodes-fold.js";

const step = (/** @type {string} */ was, /** @type {string} */ state, /** @type {number} */ at, instance = "") => ({
  was,
  state,
  at,
  instance,
});

test("an episode lasts from firing to normal, over a relapse", () => {
  const found = episodesOf([
    step("normal", "pending", 1),
    step("pending", "firing", 2),
    step("firing", "recovering", 5),
    step("recovering", "firing", 7),
    step("firing", "normal", 9),
    step("normal", "firing", 12),
  ]);
  assert.deepEqual(found, [
    { instance: "", from: 2, to: 9 },
    { instance: "", from: 12, to: null },
  ]);
});

test("instances have episodes of their own, and other events change nothing", () => {
  const found = episodesOf([
    step("normal", "firing", 1, "a"),
    step("normal", "firing", 2, "b"),
    step("firing", "normal", 3, "a"),
  ]);
  assert.deepEqual(found, [
    { instance: "a", from: 1, to: 3 },
    { instance: "b", from: 2, to: null },
  ]);
  for (const event of [
    { type: "alert.notice", data: { kind: "fired" } },
    { type: "alert.changed", data: null },
    { type: "alert.changed", data: step("normal", "no_data", 4) },
    { type: "alert.changed", data: { was: "normal", state: "firing", at: "noon" } },
    { type: "alert.changed", data: step("firing", "normal", 4, "unknown") },
  ])
    assert.equal(take(found, event), found);
});

test("a rule belongs to the series that show what it judges", () => {
  const series = { topic: "t", field: "ms" };
  assert.ok(judges({ topic: "t", field: "ms" }, series));
  assert.ok(judges({ topic: "t", kind: "absence" }, series));
  assert.ok(!judges({ topic: "t", field: "other" }, series));
  assert.ok(!judges({ topic: "u", field: "ms" }, series));
  const rule = {
    id: "r",
    title: "Slow",
    rule: { topic: "t", field: "ms" },
    episodes: episodesOf([step("normal", "firing", 1, "a")]),
  };
  assert.deepEqual(firedOn({ series: [series] }, [rule]), [
    { instance: "a", from: 1, to: null, rule: "r", title: "Slow (a)" },
  ]);
  assert.deepEqual(firedOn({}, [rule]), []);
});

test("what fired in a span is said", () => {
  const fired = [
    { instance: "", from: 2, to: 9, rule: "r", title: "Slow" },
    { instance: "", from: 12, to: null, rule: "r", title: "Slow" },
  ];
  assert.equal(firedWords(fired, 0, 20), "Firing: Slow. Fired and over: 1");
  assert.equal(firedWords(fired, 10, 11), "");
});

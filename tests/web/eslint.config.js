/**
 * Features of the web that the page may use: those of Baseline 2023, the set that every large browser had by the end
 * of that year. docs/questions.md names the browsers. `npm run floor` lists every other feature in the sources.
 */
import css from "@eslint/css";
import baseline from "eslint-plugin-baseline-js";

const YEAR = 2023;

/** Properties that make the page nicer where a browser has them. Nothing is missing without them. */
const DECORATION = [
  "accent-color",
  "field-sizing", // ui/kit/composer.js measures the text instead
  "line-clamp", // beside -webkit-line-clamp, which every browser has
  "overflow-anchor",
  "overscroll-behavior", // counted as newer only for boxes that do not scroll
  "resize",
  "scrollbar-width",
  "user-select", // beside -webkit-user-select
  "text-size-adjust", // of phones, beside -webkit-text-size-adjust
];

const scripts = (/** @type {string[]} */ ...ignoreFeatures) => ({
  "baseline-js/use-baseline": [
    "error",
    { available: YEAR, includeWebApis: { preset: "auto" }, includeJsBuiltins: { preset: "auto" }, ignoreFeatures },
  ],
});

export default [
  { ignores: ["**/web/bundle*/"] }, // made of what is checked here
  {
    files: ["**/*.css"],
    plugins: { css },
    language: "css/css",
    rules: {
      // Without ::marker a list has the marks of its browser.
      "css/use-baseline": ["error", { available: YEAR, allowProperties: DECORATION, allowSelectors: ["marker"] }],
    },
  },
  {
    files: ["**/*.js", "**/*.mjs"],
    plugins: { "baseline-js": baseline },
    rules: scripts(
      "abortsignal-timeout", // since Chrome 103; until 124 its error had another name, which nothing reads
      "async-clipboard", // ui/kit/copy.js has the old command for browsers without it
      "js-modules-shared-workers",
      "notifications", // ui/notifications/desktop-state.js looks for them
      "shared-workers", // client/share.js looks for them
    ),
  },
  {
    files: ["**/vendor/signals*.mjs"],
    rules: scripts("explicit-resource-management"), // a method for `using`, which nobody calls
  },
];

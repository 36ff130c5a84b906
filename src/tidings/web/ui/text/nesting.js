/** Limits of nesting. Deeper quotes, lists and emphasis are read by the streaming parser, which draws them flat. */

/** Elements that are open at once at most. A tab that lays out 2,000 nested quotes can crash. */
export const DEEPEST = 24;

/**
 * Levels that the streaming parser may have open, and characters that it may hold back, such as an address. It goes
 * through all of them with each character that follows: 1 MB of them would take a minute.
 */
export const [OPEN, HELD] = [256, 4000];

/** Marks that nobody means as Markdown, and of which the streaming parser would show nothing. */
export const MARKS = /[*_~`]{1000}/;

/** Characters that the parser of finished texts is given: it takes quadratic time, 0.4 s for as many of the worst. */
export const LONGEST = 50_000;

/** The beginning of a line: quote marks and list markers, more than any reader follows. */
const MARKERS = /^(?:[ \t]*(?:>|[*+-][ \t]|\d{1,9}[.)][ \t])){17}/m;

/** An item of a list that is indented by more than 32 columns. */
const INDENTED = /^[ \t]{33,}(?:[*+-]|\d{1,9}[.)])[ \t]/m;

/** A run of marks that can open emphasis, or a row of brackets. */
const RUNS = /[*_~]{65}|\[{65}/;

/**
 * Check if a Markdown text nests so deeply that a recursive parser would fail or take seconds.
 * @param {string} text
 */
export const tooDeep = (text) => MARKERS.test(text) || INDENTED.test(text) || RUNS.test(text);

/**
 * Tell whether a key belongs to an input method, such as the Enter that chooses a Japanese word. Safari ends the
 * composition before that key, whose code is still the one of a composition.
 *
 * @param {KeyboardEvent} event
 */
export const composes = (event) => event.isComposing || event.keyCode === 229;

/** People write on glass: Enter is the only key for a new line, so that a button sends. */
export const touch = matchMedia("(hover: none) and (pointer: coarse)");

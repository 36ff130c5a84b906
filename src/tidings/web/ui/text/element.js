/**
 * A DOM element. Text given as children is text: nothing here reads HTML.
 *
 * @param {string} tag
 * @param {Record<string, string>} [attributes]
 * @param {(Node | string)[]} children
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const SPRITE = new URL("../../icons.svg", import.meta.url).pathname;

/** The address of an icon in the sprite. @param {string} name */
export const iconAt = (name) => `${SPRITE}#${name}`;

/** @param {string} name @returns {SVGElement} */
export function iconElement(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", iconAt(name));
  svg.append(use);
  return svg;
}

/**
 * The address of a link in a text that nobody vouches for.
 * @param {string | null} href
 * @returns {string | null} null: it is shown as text
 */
export function safeHref(href) {
  try {
    const url = new URL(href ?? "");
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null; // relative: it would lead into this app, to nothing
  }
}

/** @param {string} href one that `safeHref` gave */
export function setHref(/** @type {Element} */ link, href) {
  link.setAttribute("href", href);
  link.setAttribute("target", "_blank");
  link.setAttribute("rel", "noopener noreferrer nofollow");
}

/**
 * A DOM element. Strings among its children are text, never HTML.
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

/** The sprite of the icons: the page of the bundle holds it, and else it is a file. */
const SPRITE = globalThis.document?.getElementById("icons") ? "" : new URL("../../icons.svg", import.meta.url).pathname;

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
 * Check the address of a link in an untrusted text.
 * @param {string | null} href
 * @returns {string | null} null for an address that must not become a link
 */
export function safeHref(href) {
  try {
    const url = new URL(href ?? "");
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null; // a relative address would lead to a page that does not exist
  }
}

/** @param {string} href checked by `safeHref` */
export function setHref(/** @type {Element} */ link, href) {
  link.setAttribute("href", href);
  link.setAttribute("target", "_blank");
  link.setAttribute("rel", "noopener noreferrer nofollow");
}

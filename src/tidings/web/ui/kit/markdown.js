import { useLayoutEffect, useRef } from "preact/hooks";
import { Prose } from "../text/prose.js";
import { html } from "./html.js";

/**
 * A text of a person or of a model, which may still be being written.
 * @param {{text: string, class?: string} & import("../text/prose.js").Looks} props
 */
export function Markdown({ text, class: name, open = false, sources = null, breaks = false, mentions = null }) {
  const root = useRef(/** @type {HTMLElement | null} */ (null));
  const prose = useRef(/** @type {Prose | null} */ (null));
  const named = mentions && [mentions.me, ...mentions.names].join("\n");
  useLayoutEffect(() => {
    prose.current ??= new Prose(/** @type {HTMLElement} */ (root.current));
    prose.current.show(text, { open, sources, breaks, mentions });
  }, [text, open, sources, breaks, named]);
  return html`<div class=${name ? `${name} prose` : "prose"} ref=${root} />`;
}

/** A text as a person has written it. @param {{text: string, mentions?: import("../text/mentions.js").Mentions | null}} props */
export const Written = ({ text, mentions = null }) =>
  html`<${Markdown} class="asked" text=${text} mentions=${mentions} breaks />`;

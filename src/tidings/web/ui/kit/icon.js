import { html } from "htm/preact";
import { iconAt } from "../text/element.js";

/** @param {{name: string, size?: number, class?: string}} props `class`: sets its colour */
export const Icon = ({ name, size = 16, class: tone = "" }) => html`
  <svg class=${`${size > 16 ? "icon large" : "icon"} ${tone}`} width=${size} height=${size} aria-hidden="true">
    <use href=${iconAt(name)} />
  </svg>
`;

/** The Tidings mark, which is also the assistant's avatar. @param {{size: number}} props */
export const Mark = ({ size }) => html`
  <svg class="mark" width=${size} height=${size} viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="7.5" fill="#0B686E" />
    <g fill="none" stroke="#fff" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round">
      <path d="M16 9.5v7.5" />
      <path d="M6.5 22c2.4 0 2.4 2.5 4.75 2.5S13.6 22 16 22s2.4 2.5 4.75 2.5S23.1 22 25.5 22" />
      <path d="M6.5 9h19" stroke="#8FE3DE" />
    </g>
  </svg>
`;

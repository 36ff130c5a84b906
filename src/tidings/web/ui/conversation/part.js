import { openPart, partAddress } from "../page/address.js";

/** @typedef {import("../page/address.js").Part["part"]} Part */

/** The address of a question, or of its answer, for other programs. @param {string} id of the conversation @param {import("./fold.js").Version} version @param {Part} part */
export const linkTo = (id, { run }, part) => location.origin + partAddress(id, { run, part });

/** Check if the address names a question, or its answer. @param {import("./fold.js").Version} version @param {Part} part */
export const isOpen = ({ run }, part) => openPart.value?.run === run && openPart.value.part === part;

import { useEffect } from "preact/hooks";
import { isAtEnd } from "../kit/following.js";
import { openPart } from "../page/address.js";
import { toast } from "../toasts/state.js";
import { find } from "./fold.js";

/**
 * Scroll to the question or the answer that the address names, in the version of the conversation that has it.
 * @param {import("./state.js").Conversation | null} conversation
 * @param {import("preact").RefObject<HTMLElement | null>} box
 * @param {import("@preact/signals").Signal<boolean>} away
 */
export function useLanding(conversation, box, away) {
  const part = openPart.value;
  const known = part !== null && !!conversation && find(conversation.state.value, part.run) !== null;
  const drawn = known && conversation.turns.value.some((turn) => conversation.shown(turn).run === part.run);
  const missing = part !== null && !known && !!conversation?.whole.value;
  useEffect(() => {
    if (known) conversation.show(part.run);
  }, [part, known]);
  useEffect(() => {
    if (!drawn) return;
    const frame = requestAnimationFrame(() => {
      const found = /** @type {HTMLElement | null | undefined} */ (box.current?.querySelector("article.found"));
      away.value = true; // otherwise the log follows its end
      found?.scrollIntoView({ block: found.matches(".question") ? "start" : "center" });
      found?.focus({ preventScroll: true });
      away.value = !isAtEnd(box.current);
    });
    return () => cancelAnimationFrame(frame);
  }, [part, drawn]);
  useEffect(() => {
    const text = "It may have been deleted, or the link is incomplete.";
    if (missing) toast({ key: "landing", icon: "circle-alert", tone: "red", title: "Message not found", text });
  }, [part, missing]);
}

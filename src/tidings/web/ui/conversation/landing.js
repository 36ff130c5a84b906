import { useComputed } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { runSignal } from "../answer/state.js";
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
  const landed = useRef(/** @type {typeof part} */ (null));
  const missing = part !== null && !known && !!conversation?.whole.value;
  // Answers that come later would move what is in view.
  const drawn = useComputed(() => {
    if (!openPart.value || !conversation) return false;
    const runs = conversation.turns.value.map((turn) => conversation.shown(turn).run);
    return runs.includes(openPart.value.run) && runs.every((run) => runSignal(run).value.state !== "unread");
  });
  useEffect(() => {
    if (known) conversation.show(part.run);
  }, [part, known]);
  useEffect(() => {
    if (!drawn.value || landed.current === part) return; // later runs are not drawn at first either
    away.value = true; // otherwise the log follows its end
    const frame = requestAnimationFrame(() => {
      const found = /** @type {HTMLElement | null | undefined} */ (box.current?.querySelector("article.found"));
      found?.scrollIntoView({ block: found.matches(".question") ? "start" : "center" });
      found?.focus({ preventScroll: true });
      away.value = !isAtEnd(box.current);
      landed.current = part;
    });
    return () => cancelAnimationFrame(frame);
  }, [part, drawn.value]);
  useEffect(() => {
    const text = "It may have been deleted, or the link is incomplete.";
    if (missing) toast({ key: "landing", icon: "circle-alert", tone: "red", title: "Message not found", text });
  }, [part, missing]);
}

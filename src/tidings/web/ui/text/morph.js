/**
 * Make an element equal to another one and keep what is equal already, so that the text in it stays in place and can be
 * selected while more is written.
 *
 * @param {ChildNode} old
 * @param {ChildNode} fresh may be taken apart
 * @returns {ChildNode} the element in place of the old one, or the old one
 */
export function morph(old, fresh) {
  if (old instanceof Text && fresh instanceof Text) {
    if (fresh.data.startsWith(old.data)) old.appendData(fresh.data.slice(old.length));
    else old.data = fresh.data;
    return old;
  }
  if (!(old instanceof HTMLElement && fresh instanceof HTMLElement) || !alike(old, fresh)) {
    old.replaceWith(fresh);
    return fresh;
  }
  if (old.matches(".code")) morphCode(old, fresh);
  else if (!old.matches(".math")) {
    for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
    for (const { name, value } of fresh.attributes) old.setAttribute(name, value);
    morphChildren(old, fresh);
  }
  return old;
}

/** @param {HTMLElement} old @param {HTMLElement} fresh */
function alike(old, fresh) {
  if (old.tagName !== fresh.tagName || old.dataset.tex !== fresh.dataset.tex) return false;
  return codeOf(old)?.dataset.language === codeOf(fresh)?.dataset.language;
}

/** @param {HTMLElement} block @returns {HTMLElement | null} */
const codeOf = (block) => (block.matches(".code") ? block.querySelector("code") : null);

/** Leave the buttons as the reader has set them, and code that is highlighted. @param {HTMLElement} old @param {HTMLElement} fresh */
function morphCode(old, fresh) {
  const [code, now] = [codeOf(old), codeOf(fresh)];
  if (code && now && code.textContent !== now.textContent) morphChildren(code, now);
}

/** @param {HTMLElement} old @param {HTMLElement} fresh */
function morphChildren(old, fresh) {
  const now = [...fresh.childNodes];
  const before = [...old.childNodes];
  now.forEach((child, at) => (at < before.length ? morph(before[at], child) : old.append(child)));
  for (const left of before.slice(now.length)) left.remove();
}

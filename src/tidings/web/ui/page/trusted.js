/** The policy that allows the page to start its workers, made when the first is started. @type {any} */
let policy;

/** The address of a worker of this page, as browsers that know Trusted Types want it. @param {string} address */
export function scriptAddress(address) {
  const rules = { createScriptURL: (/** @type {string} */ same) => same };
  policy ??= /** @type {any} */ (globalThis).trustedTypes?.createPolicy("tidings-page", rules) ?? rules;
  return policy.createScriptURL(address);
}

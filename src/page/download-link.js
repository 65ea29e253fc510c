// A link to a file that the server makes out of what it keeps. Looks first whether the server can:
// a browser would only say that there is no file, not why. Knows no job.

import { linked, refusal } from "./api.js";
import { el } from "./text.js";

/** `downloadLink(address, "Failed rows as CSV", { class: "button" }, (sentence) => …)`. */
export function downloadLink(address, words, attributes, say) {
  const href = linked(address);
  let isChecked = false;
  const link = el("a", { ...attributes, href, download: true, onclick: async (event) => {
    if (isChecked || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    if (link.hasAttribute("aria-busy")) return;
    link.setAttribute("aria-busy", "true");
    const problem = await refusal(href);
    link.removeAttribute("aria-busy");
    say(problem?.message ?? "");
    if (problem || !link.isConnected) return;
    isChecked = true;
    link.click();
    isChecked = false;
  } }, words);
  return link;
}

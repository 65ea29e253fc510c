// What stands in place of a job or a bulk that cannot be shown, and the way back to the list. Knows
// neither of them.

import { el } from "./text.js";

/** The link above a page. */
export function back() {
  return el("nav", { "aria-label": "Where you are" }, el("a", { class: "small", href: "./" }, "← All jobs"));
}

/** Puts a title and a sentence in place of what `page` shows, with a button to try again if there is one. */
export function instead(page, title, words, again = null) {
  const hadFocus = page.contains(document.activeElement);
  const heading = el("h1", { tabindex: -1 }, title);
  page.replaceChildren(
    back(),
    el(
      "section", { class: "card stack unknown" },
      heading,
      el("p", {}, words),
      el("p", { class: "row" }, el("a", { class: "button primary", href: "./" }, "Show all jobs"), again),
    ),
  );
  if (hadFocus) heading.focus();
}

// <progress-bar label="Rows">: a bar that says its percentage to everybody. Knows nothing of jobs.

import { el, percent } from "./text.js";

/**
 * `bar.set(42.5, "300,000 of 700,000 rows", "good")`: percentage or `null` when it is not known,
 * words for those who do not see the bar, and its tone: good, warn, bad, quiet or none.
 */
class ProgressBar extends HTMLElement {
  #fill = el("div", { class: "fill" });

  connectedCallback() {
    if (this.#fill.isConnected) return;
    this.setAttribute("role", "progressbar");
    this.setAttribute("aria-valuemin", "0");
    this.setAttribute("aria-valuemax", "100");
    this.setAttribute("aria-label", this.getAttribute("label") ?? "Progress");
    this.append(this.#fill);
  }

  set(percentage, words, tone = "") {
    const known = typeof percentage === "number";
    const shown = known ? Math.min(100, Math.max(0, percentage)) : 0;
    this.toggleAttribute("data-unknown", !known);
    if (known) this.setAttribute("aria-valuenow", String(Math.floor(shown)));
    else this.removeAttribute("aria-valuenow");
    this.setAttribute("aria-valuetext", words ? `${known ? `${percent(shown)}, ` : ""}${words}` : percent(shown));
    this.dataset.tone = tone;
    this.#fill.style.width = `${shown}%`;
  }
}

customElements.define("progress-bar", ProgressBar);

/** A new bar: `progressBar("Rows", { class: "tall" })`. */
export function progressBar(label, attributes) {
  return el("progress-bar", { label, ...attributes });
}

// <superseded-rows>: the rows that a later row with the same key replaced, listed on demand. Asks for their pages; shows a JobState.

import { linked, superseded } from "./api.js";
import { counted, el, number, put } from "./text.js";

/** Rows that one press adds. */
const PAGE = 100;

class SupersededRows extends HTMLElement {
  #id = null;
  #leaving = null;
  #cursor = null;
  #shown = 0;
  #isAsking = false;
  #total = el("span", { class: "muted small" });
  #link = el("a", { class: "small" }, "JSON");
  #rows = el("tbody", {});
  #state = el("p", { class: "small muted", role: "status" });
  #more = el("button", { type: "button", class: "button compact", onclick: () => this.#look() }, "More");

  connectedCallback() {
    this.#leaving = new AbortController();
    if (this.firstChild) return;
    this.hidden = true;
    const head = ["Row", "Replaced by row"].map((word) => el("th", { scope: "col" }, word));
    this.append(
      el("header", { class: "spread" }, el("div", { class: "row" }, el("h2", {}, "Replaced by a later row"), this.#total), this.#link),
      el(
        "details", { ontoggle: (event) => event.target.open && this.#shown === 0 && this.#look() },
        el("summary", { class: "small" }, "Show the rows"),
        el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Rows that a later row replaced" }, el("table", {}, el("thead", {}, el("tr", {}, head)), this.#rows)),
        el("div", { class: "row" }, this.#state, this.#more),
      ),
    );
  }

  disconnectedCallback() {
    this.#leaving.abort();
  }

  show({ job, counts }) {
    const address = job.links?.superseded;
    this.hidden = !address;
    if (!address) return;
    this.#id = job.jobId;
    this.#link.href = linked(address);
    put(this.#total, counted(counts.superseded, "row"));
  }

  async #look() {
    if (this.#isAsking) return;
    this.#isAsking = true;
    try {
      const answer = await superseded(this.#id, { limit: PAGE, cursor: this.#cursor }, this.#leaving.signal);
      this.#rows.append(...answer.superseded.map(pair));
      this.#shown += answer.superseded.length;
      this.#cursor = answer.nextCursor;
      this.#more.hidden = answer.nextCursor === null;
      put(this.#state, `${number(this.#shown)} of ${number(answer.total)} shown`);
    } catch (fault) {
      if (fault.name !== "AbortError") put(this.#state, fault.message);
    } finally {
      this.#isAsking = false;
    }
  }
}

function pair({ rowNumber, byRowNumber }) {
  return el("tr", {}, el("td", {}, number(rowNumber)), el("td", {}, number(byRowNumber)));
}

customElements.define("superseded-rows", SupersededRows);

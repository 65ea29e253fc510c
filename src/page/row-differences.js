// <row-differences>: what a dry run would change, row by row, listed on demand. Asks for the pages; shows a JobState.

import { differences, linked } from "./api.js";
import { downloadLink } from "./download-link.js";
import { counted, el, number, put, sentence } from "./text.js";

/** Rows that one press adds. */
const PAGE = 50;

class RowDifferences extends HTMLElement {
  #id = null;
  #leaving = null;
  #cursor = null;
  #shown = 0;
  #isAsking = false;
  #total = el("span", { class: "muted small" });
  #file = el("span", {});
  #rows = el("tbody", {});
  #state = el("p", { class: "small muted", role: "status" });
  #more = el("button", { type: "button", class: "button compact", hidden: true, onclick: () => this.#look() }, "More");

  connectedCallback() {
    this.#leaving = new AbortController();
    if (this.firstChild) return;
    this.hidden = true;
    const head = ["Row", "Key", "Column", "In the table", "In the file"].map((text) => el("th", { scope: "col" }, text));
    this.append(
      el("header", { class: "spread" }, el("div", { class: "row" }, el("h2", {}, "What would change"), this.#total), this.#file),
      el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Values that would change" }, el("table", {}, el("thead", {}, el("tr", {}, head)), this.#rows)),
      el("div", { class: "row" }, this.#state, this.#more),
    );
  }

  disconnectedCallback() {
    this.#leaving.abort();
  }

  show({ job, counts, isOver }) {
    const address = job.links?.diff;
    this.hidden = !address || !isOver;
    if (this.hidden) return;
    put(this.#total, counted((counts.created ?? 0) + (counts.updated ?? 0), "row"));
    if (this.#id === job.jobId) return;
    this.#id = job.jobId;
    const say = (reason) => this.#state.replaceChildren(...sentence(reason));
    this.#file.replaceChildren(downloadLink(linked(job.links.diffCsv), "All as CSV", { class: "button compact" }, say));
    this.#look();
  }

  async #look() {
    if (this.#isAsking) return;
    this.#isAsking = true;
    try {
      const answer = await differences(this.#id, { limit: PAGE, cursor: this.#cursor }, this.#leaving.signal);
      this.#rows.append(...answer.differences.flatMap(lines));
      this.#shown += answer.differences.length;
      this.#cursor = answer.nextCursor;
      this.#more.hidden = answer.nextCursor === null;
      const kept = answer.stored < answer.total ? ` (the first ${number(answer.stored)} are listed)` : "";
      put(this.#state, `${number(this.#shown)} of ${counted(answer.total, "row")} shown${kept}`);
    } catch (fault) {
      if (!this.#leaving.signal.aborted) this.#state.replaceChildren(...sentence(fault.message));
      this.#more.hidden = false;
    } finally {
      this.#isAsking = false;
    }
  }
}

/** A line for each value; row and key stand in the first one. */
function lines({ rowNumber, key, outcome, changes }) {
  const first = [el("td", {}, number(rowNumber)), el("td", {}, key, outcome === "created" ? el("span", { class: "muted" }, " (new)") : "")];
  const line = ({ column, before, after }, index) => el("tr", {}, index === 0 ? first : [el("td", {}), el("td", {})], el("td", {}, column), value(before), value(after));
  return changes.length > 0 ? changes.map(line) : [el("tr", {}, first, el("td", { colspan: "3", class: "muted" }, "no other column"))];
}

function value(text) {
  return text === null ? el("td", { class: "muted" }, "empty") : el("td", {}, text);
}

customElements.define("row-differences", RowDifferences);

// <job-counts>: the rows of a job by outcome, as tiles that add up to the rows of the file, and the
// same as one divided bar. Shows a JobState.

import { outcomes, outcomesAndRest, rowsOf } from "./job-kind.js";
import { counted, el, number, put } from "./text.js";

class JobCounts extends HTMLElement {
  #tiles = new Map();
  #list = el("dl", { class: "tiles" });
  #share = el("div", { class: "outcome", "aria-hidden": "true" });
  #sum = el("p", { class: "sum" });

  connectedCallback() {
    if (this.firstChild) return;
    this.append(this.#list, this.#share, this.#sum);
  }

  #build(job) {
    for (const [outcome, word, meaning, , look = outcome] of outcomesAndRest(job)) this.#tiles.set(outcome, tile(look, word, meaning));
    const tiles = [...this.#tiles.values()];
    this.#list.append(...tiles.map(({ box }) => box));
    this.#share.append(...tiles.map(({ part }) => part));
  }

  show(state) {
    if (this.#tiles.size === 0) this.#build(state.job);
    const counts = { ...state.counts };
    const done = outcomes(state.job).reduce((sum, [outcome]) => sum + (counts[outcome] ?? 0), 0);
    const total = state.total ?? done;
    counts.unprocessed = Math.max(0, total - done);
    for (const [outcome, { box, value, part }] of this.#tiles) {
      const count = counts[outcome] ?? 0;
      put(value, number(count));
      box.classList.toggle("none", count === 0);
      part.hidden = count === 0;
      part.style.flexGrow = String(count);
    }
    put(this.#sum, sum(counts, state, done));
  }
}

/** The sum in full, so that everybody can check it. */
function sum(counts, { job, total, status }, done) {
  const parts = outcomesAndRest(job).map(([outcome]) => number(counts[outcome] ?? 0)).join(" + ");
  if (total !== null) return `${parts} = ${rowsOf(job, total)}`;
  if (done > 0) return `${parts} = ${counted(done, "row")} so far`;
  return status === "processing" ? "The rows are being counted." : "The rows are not counted.";
}

function tile(look, word, meaning) {
  const value = el("dd", {}, "0");
  const box = el("div", { class: `tile ${look}`, title: meaning }, el("dt", {}, word), value);
  return { box, value, part: el("i", { class: look }) };
}

customElements.define("job-counts", JobCounts);

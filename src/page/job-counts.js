// <job-counts>: the rows of a job by outcome, as tiles that add up to the rows of the file, and the
// same as one divided bar. Shows a JobState.

import { counted, el, number, put } from "./text.js";

const TILES = [
  ["created", "Created", "New records"],
  ["updated", "Updated", "Records that changed"],
  ["unchanged", "Unchanged", "Records that were like this already"],
  ["superseded", "Superseded", "Rows that a later row with the same key overtook"],
  ["failed", "Failed", "Rows with an error, not written"],
  ["unprocessed", "Unprocessed", "Rows without an outcome so far"],
];

class JobCounts extends HTMLElement {
  #tiles = new Map();
  #sum = el("p", { class: "sum" });
  #share = el("div", { class: "outcome", "aria-hidden": "true" });

  connectedCallback() {
    if (this.firstChild) return;
    for (const [outcome, word, meaning] of TILES) this.#tiles.set(outcome, tile(outcome, word, meaning));
    const tiles = [...this.#tiles.values()];
    this.#share.append(...tiles.map(({ part }) => part));
    this.append(el("dl", { class: "tiles" }, tiles.map(({ box }) => box)), this.#share, this.#sum);
  }

  show(state) {
    const counts = { ...state.counts };
    const done = TILES.slice(0, -1).reduce((sum, [outcome]) => sum + (counts[outcome] ?? 0), 0);
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
function sum(counts, { total, status }, done) {
  const parts = TILES.map(([outcome]) => number(counts[outcome] ?? 0)).join(" + ");
  if (total !== null) return `${parts} = ${counted(total, "row")} of the file`;
  if (done > 0) return `${parts} = ${counted(done, "row")} so far`;
  return status === "processing" ? "The rows are being counted." : "The rows are not counted.";
}

function tile(outcome, word, meaning) {
  const value = el("dd", {}, "0");
  const box = el("div", { class: `tile ${outcome}`, title: meaning }, el("dt", {}, word), value);
  return { box, value, part: el("i", { class: outcome }) };
}

customElements.define("job-counts", JobCounts);

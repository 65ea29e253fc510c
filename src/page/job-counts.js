// <job-counts>: the rows of a job by outcome, as tiles and as one divided bar. Says the sum only when
// it is not the number of rows. Shows a JobState.

import { REMOVED, isMirror, outcomes, outcomesAndRest } from "./job-kind.js";
import { counted, el, number, put } from "./text.js";

class JobCounts extends HTMLElement {
  #tiles = new Map();
  #list = el("dl", { class: "tiles" });
  #share = el("div", { class: "outcome", "aria-hidden": "true" });
  #sum = el("p", { class: "sum note bad", role: "alert", hidden: true });

  connectedCallback() {
    if (this.firstChild) return;
    this.append(this.#list, this.#share, this.#sum);
  }

  #build(job) {
    for (const [outcome, word, meaning, , look = outcome] of outcomesAndRest(job)) this.#tiles.set(outcome, tile(look, word, meaning));
    const tiles = [...this.#tiles.values()];
    this.#share.append(...tiles.map(({ part }) => part));
    // Beside the bar: it is divided by rows of the file.
    if (isMirror(job)) {
      const [outcome, word, meaning] = REMOVED;
      this.#tiles.set(outcome, tile(outcome, word, meaning));
    }
    this.#list.append(...[...this.#tiles.values()].map(({ box }) => box));
  }

  show(state) {
    if (this.#tiles.size === 0) this.#build(state.job);
    const counts = { ...state.counts };
    const done = outcomes(state.job).reduce((sum, [outcome]) => sum + (counts[outcome] ?? 0), 0);
    const total = state.total ?? done;
    counts.unprocessed = Math.max(0, total - done);
    for (const [outcome, { box, value, part }] of this.#tiles) {
      const count = counts[outcome] ?? 0;
      // Before all rows are counted nobody knows how many are left.
      const isKnown = outcome !== "unprocessed" || state.total !== null;
      put(value, isKnown ? number(count) : "–");
      box.classList.toggle("none", count === 0);
      part.hidden = count === 0;
      part.style.flexGrow = String(count);
    }
    const wrong = sum(counts, state, done);
    this.#sum.hidden = wrong === "";
    put(this.#sum, wrong);
  }
}

/** The sum in full when it is wrong: more rows than there are, or fewer of a completed job. */
function sum(counts, { job, total, status }, done) {
  if (total === null || (done <= total && !(status === "completed" && done < total))) return "";
  const parts = outcomes(job).map(([outcome]) => number(counts[outcome] ?? 0)).join(" + ");
  return `The counts do not add up: ${parts} = ${number(done)}, but the job has ${counted(total, "row")}.`;
}

function tile(look, word, meaning) {
  const value = el("dd", {}, "0");
  const box = el("div", { class: `tile ${look}`, title: meaning }, el("dt", {}, word), value);
  return { box, value, part: el("i", { class: look }) };
}

customElements.define("job-counts", JobCounts);

// <job-new-references>: what a dry run would create in other tables, and which names mean records that are
// there. Asks for the list once the job is over; shows a JobState.

import { dataset, job as statusOf, referenceNames } from "./api.js";
import "./new-references.js";
import { el } from "./text.js";

class JobNewReferences extends HTMLElement {
  #id = null;
  #leaving = null;
  #found = [];
  #columns = [];
  #shown = "";
  #list = el("new-references");

  connectedCallback() {
    this.#leaving = new AbortController();
    if (this.firstChild) return;
    this.hidden = true;
    this.append(this.#list);
  }

  disconnectedCallback() {
    this.#leaving.abort();
  }

  /** What a confirmation says of the names; `null` when nothing was chosen. */
  get replace() {
    return this.#list.replace;
  }

  show({ job, isOver }) {
    if (!job.options?.dryRun || !isOver) {
      this.hidden = true;
      return;
    }
    if (this.#id !== job.jobId) this.#ask(job);
    const canChoose = job.actions?.includes("confirm") ?? false;
    const shown = JSON.stringify([this.#found, canChoose]);
    this.hidden = this.#found.length === 0;
    if (shown === this.#shown) return;
    this.#shown = shown;
    const find = async (column, text) => (await referenceNames(job.dataset, column, text, this.#leaving.signal)).names;
    this.#list.show(this.#found, { columns: this.#columns, canChoose, find: canChoose ? find : null });
  }

  /** Events show the job without them. */
  async #ask({ jobId, dataset: name }) {
    this.#id = jobId;
    try {
      const { newReferences = [] } = await statusOf(jobId, this.#leaving.signal);
      // A dataset that is gone has no titles.
      this.#columns = newReferences.length === 0 ? [] : await dataset(name, this.#leaving.signal).then((one) => one.columns, () => []);
      this.#found = newReferences;
      this.dispatchEvent(new Event("found"));
    } catch {
      // It is asked for again with the next thing that is shown.
      this.#id = null;
    }
  }
}

customElements.define("job-new-references", JobNewReferences);

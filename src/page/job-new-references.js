// <job-new-references>: what a dry run would create in other tables, and which names mean records that are
// there. Asks for the list once the job is over; shows a JobState.

import { job as statusOf } from "./api.js";
import "./new-references.js";
import { el } from "./text.js";

class JobNewReferences extends HTMLElement {
  #id = null;
  #leaving = null;
  #found = [];
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
    if (this.#id !== job.jobId) this.#ask(job.jobId);
    const canChoose = job.actions?.includes("confirm") ?? false;
    const shown = JSON.stringify([this.#found, canChoose]);
    this.hidden = this.#found.length === 0;
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#list.show(this.#found, { canChoose });
  }

  /** Events show the job without them. */
  async #ask(id) {
    this.#id = id;
    try {
      const job = await statusOf(id, this.#leaving.signal);
      this.#found = job.newReferences ?? [];
      this.dispatchEvent(new Event("found"));
    } catch {
      // It is asked for again with the next thing that is shown.
      this.#id = null;
    }
  }
}

customElements.define("job-new-references", JobNewReferences);

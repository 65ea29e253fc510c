// <job-warnings>: what a person should see although no row failed. Shows a JobState.

import { el } from "./text.js";
import { warningList } from "./warning-list.js";

class JobWarnings extends HTMLElement {
  #shown = "";

  connectedCallback() {
    this.hidden = this.#shown === "";
  }

  show({ job }) {
    const shown = job.warnings?.length ? JSON.stringify(job.warnings) : "";
    this.hidden = shown === "";
    if (shown === this.#shown) return;
    this.#shown = shown;
    const list = warningList(job.warnings);
    this.replaceChildren(...(list ? [el("h2", {}, "Warnings"), list] : []));
  }
}

customElements.define("job-warnings", JobWarnings);

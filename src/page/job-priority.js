// <job-priority>: the priority of a job that is not over, as a number that can be changed. Shows a
// JobState; tells by "acted" what the job is then, by "refused" why not.

import { setPriority } from "./api.js";
import { PRIORITY_MAX as MOST } from "./job-kind.js";
import { el } from "./text.js";

class JobPriority extends HTMLElement {
  #id = null;
  #shown = null;
  #isSending = false;
  #input = el("input", { type: "number", id: "priority", min: -MOST, max: MOST, step: 1, required: true, onchange: () => this.#send() });

  connectedCallback() {
    if (this.firstChild) return;
    this.hidden = true;
    this.title = `Jobs with a higher priority start first; from -${MOST} to ${MOST}`;
    this.append(el("label", { class: "small", for: "priority" }, "Priority"), this.#input);
  }

  show({ job, isOver }) {
    this.#id = job.jobId;
    this.hidden = isOver;
    const priority = job.priority ?? job.options?.priority ?? 0;
    if (isOver || priority === this.#shown || this.#isSending) return;
    this.#shown = priority;
    const isFirst = priority > MOST;
    this.#input.placeholder = isFirst ? "next" : "";
    this.#input.value = isFirst ? "" : String(priority);
  }

  /** What was typed while an answer was under way is sent after it. */
  async #send() {
    if (!this.#input.reportValidity() || this.#isSending) return;
    this.#isSending = true;
    this.#input.setAttribute("aria-busy", "true");
    try {
      let job = null;
      let sent = null;
      while (sent !== this.#input.value && this.#input.validity.valid) {
        sent = this.#input.value;
        job = await setPriority(this.#id, Number(sent));
      }
      this.#tell("acted", job);
    } catch (fault) {
      this.#shown = null;
      this.#tell("refused", fault);
    } finally {
      this.#isSending = false;
      this.#input.removeAttribute("aria-busy");
    }
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true }));
  }
}

customElements.define("job-priority", JobPriority);

// <job-actions>: the buttons for what may be done with a job now. Asks once, in place, before what
// cannot be taken back. Knows the words of the actions, not what they do.

import { act } from "./api.js";
import { el, put } from "./text.js";

const WORDS = { cancel: "Cancel import", pause: "Pause", resume: "Resume", retry: "Retry", rollback: "Undo" };
const QUESTIONS = {
  cancel: "Stop here? What is written stays.",
  rollback: "Take back what this import wrote?",
};

class JobActions extends HTMLElement {
  #id = null;
  #offered = "";
  #asked = null;
  #said = el("p", { class: "small said", role: "status" });
  #buttons = el("div", { class: "row" });

  connectedCallback() {
    if (this.firstChild) return;
    this.append(this.#said, this.#buttons);
    this.addEventListener("keydown", (event) => event.key === "Escape" && this.#ask(null));
  }

  show({ job, isOver }) {
    this.#id = job.jobId;
    const offered = isOver ? [] : (job.actions ?? []);
    if (offered.join() === this.#offered) return;
    this.#offered = offered.join();
    if (!offered.includes(this.#asked)) this.#asked = null;
    this.#draw();
  }

  #draw() {
    const offered = this.#offered.split(",").filter(Boolean);
    const asked = this.#asked;
    put(this.#said, asked ? QUESTIONS[asked] : "");
    // The way back stands where the button stood: who presses twice by mistake stops nothing.
    this.#buttons.replaceChildren(
      ...(asked ? [this.#button(asked, "danger solid", () => this.#act(asked)), this.#back()] : offered.map((action) => this.#offer(action))),
    );
  }

  #offer(action) {
    const grave = action in QUESTIONS;
    return this.#button(action, grave ? "danger" : "", () => (grave ? this.#ask(action) : this.#act(action)));
  }

  #button(action, look, pressed) {
    const word = WORDS[action] ?? `${action[0].toUpperCase()}${action.slice(1)}`;
    return el("button", { type: "button", class: `button ${look}`, "data-action": action, onclick: pressed }, word);
  }

  #back() {
    return el("button", { type: "button", class: "button", "data-action": "keep", onclick: () => this.#ask(null) }, "Keep going");
  }

  /** Asks, or goes back to the buttons with `null`. */
  #ask(action) {
    if (this.#asked === action) return;
    const before = this.#asked;
    this.#asked = action;
    this.#draw();
    this.querySelector(`[data-action="${action ? "keep" : before}"]`)?.focus();
  }

  async #act(action) {
    for (const button of this.#buttons.children) button.disabled = true;
    let job = null;
    let refusal = "";
    try {
      job = await act(this.#id, action);
    } catch (fault) {
      refusal = fault.message;
    }
    this.#asked = null;
    this.#draw();
    put(this.#said, refusal);
    this.dispatchEvent(new CustomEvent("acted", { detail: job, bubbles: true }));
  }
}

customElements.define("job-actions", JobActions);

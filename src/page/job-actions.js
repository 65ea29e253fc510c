// <job-actions>: the buttons for the actions that a job allows now, and its priority. Actions that
// cannot be undone ask for confirmation. Shows the server's sentence when it refuses. Tells by "acted"
// what the job is then, or `null` when it should be asked for; by "go" where to go on.

import { NoAnswer, act, forget, uploadKey } from "./api.js";
import { ask, busy } from "./ask-dialog.js";
import { inOrder, look, question, word } from "./job-questions.js";
import { el, isLive, put, sentence } from "./text.js";
import "./job-priority.js";

class JobActions extends HTMLElement {
  /**
   * Which names mean other records, as the page of the job has it.
   * @type {(() => object | null) | null}
   */
  replacing = null;
  #job = null;
  #state = null;
  #offered = "";
  #isBusy = false;
  #keys = new Map();
  #said = el("p", { class: "small said", role: "status" });
  #priority = el("job-priority", {});
  #buttons = el("div", { class: "row buttons" });

  connectedCallback() {
    if (this.firstChild) return;
    this.append(this.#said, this.#priority, this.#buttons);
    this.addEventListener("refused", (event) => this.#refused(event.detail));
  }

  show(state) {
    const { job, isOver } = state;
    this.#job = job;
    this.#state = state;
    this.#priority.show(state);
    // Its end was told, and what may be done with it now is asked for.
    const offered = isOver && isLive(job) ? [] : inOrder([...(state.isStuck ? ["force"] : []), ...(job.actions ?? [])]);
    if (offered.join() === this.#offered) return;
    this.#offered = offered.join();
    if (!this.#isBusy) this.#draw();
  }

  #draw() {
    const focused = this.#buttons.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement).dataset.action : null;
    const offered = this.#offered.split(",").filter(Boolean);
    this.#buttons.replaceChildren(...offered.map((action) => this.#button(action)));
    if (!focused) return;
    // Whoever works with the keyboard goes on where the button was.
    const next = this.#buttons.querySelector(`[data-action="${focused}"]`) ?? this.#buttons.firstChild;
    next?.focus();
  }

  #button(action) {
    const asks = question(action, this.#state) !== null;
    const attributes = { type: "button", class: `button ${look(action)}`, "data-action": action, "aria-haspopup": asks && "dialog" };
    return el("button", { ...attributes, onclick: (event) => this.#press(action, event.currentTarget) }, word(action, this.#job));
  }

  async #press(action, button) {
    if (this.#isBusy) return;
    this.#isBusy = true;
    put(this.#said, "");
    const asked = question(action, this.#state);
    try {
      if (asked) await ask(this, asked, (form) => this.#do(action, form));
      else await this.#under(button, () => this.#do(action));
    } catch (fault) {
      this.#refused(fault);
    } finally {
      this.#isBusy = false;
      this.#draw();
    }
  }

  async #under(button, work) {
    for (const one of this.#buttons.children) busy(one, true, one === button);
    await work();
  }

  async #do(action, form) {
    const id = this.#job.jobId;
    if (action === "delete") {
      await forget(id);
      document.dispatchEvent(new CustomEvent("deleted", { detail: id }));
      this.#tell("announce", `Job ${id} was deleted`);
      this.#tell("go", "./");
    } else if (["retry", "rollback", "confirm"].includes(action)) {
      const wishes = this.#wishes(action, form);
      const child = await act(id, action, { wishes, key: this.#keyOf(action, wishes) });
      this.#keys.clear();
      this.#tell("go", `jobs/${child.jobId}`);
    } else {
      this.#tell("acted", await act(id, action));
    }
  }

  /** What is said besides: which rows are retried, and which names mean other records. */
  #wishes(action, form) {
    if (action === "retry") return { rows: form.get("rows") };
    const replace = action === "confirm" ? this.replacing?.() : null;
    return replace ? { replace } : undefined;
  }

  /** The same for a second attempt: a job whose answer was lost is found again. */
  #keyOf(action, wishes) {
    const wish = JSON.stringify([action, wishes]);
    if (!this.#keys.has(wish)) this.#keys.set(wish, uploadKey());
    return this.#keys.get(wish);
  }

  /** The job is another than was thought, so it is asked for. */
  #refused(fault) {
    if (!(fault instanceof Error)) throw fault;
    const again = fault instanceof NoAnswer ? ` ${fault.again}` : "";
    this.#said.replaceChildren(...sentence(`${fault.message}${again}`));
    this.#tell("acted", null);
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true }));
  }
}

customElements.define("job-actions", JobActions);

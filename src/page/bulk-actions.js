// <bulk-actions>: cancels or retries a bulk as a whole, after a question. Shows the server's sentence
// when it refuses. Sends "acted" with the bulk as it is then, or `null` when it should be asked for;
// "go" with the address of the bulk that a retry made.

import { NoAnswer, actOnBulk, uploadKey } from "./api.js";
import { ask } from "./ask-dialog.js";
import { radio } from "./job-questions.js";
import { counted, el, put, sentence } from "./text.js";

class BulkActions extends HTMLElement {
  #bulk;
  #offered = "";
  #keys = new Map();
  #said = el("p", { class: "small said", role: "status" });
  #buttons = el("div", { class: "row buttons" });

  connectedCallback() {
    if (!this.firstChild) this.append(this.#said, this.#buttons);
  }

  show(bulk) {
    this.#bulk = bulk;
    const offered = bulk.actions.join();
    if (offered === this.#offered) return;
    this.#offered = offered;
    const hadFocus = this.#buttons.contains(document.activeElement);
    this.#buttons.replaceChildren(...bulk.actions.map((action) => this.#button(action)));
    if (hadFocus) this.#buttons.firstChild?.focus();
  }

  #button(action) {
    const { word, look } = BUTTONS[action];
    const attributes = { type: "button", class: `button ${look}`, "data-action": action, "aria-haspopup": "dialog" };
    return el("button", { ...attributes, onclick: () => this.#press(action) }, word);
  }

  async #press(action) {
    put(this.#said, "");
    try {
      await ask(this, BUTTONS[action].question(this.#bulk), (form) => this.#do(action, form));
    } catch (fault) {
      if (!(fault instanceof Error)) throw fault;
      const again = fault instanceof NoAnswer ? ` ${fault.again}` : "";
      this.#said.replaceChildren(...sentence(`${fault.message}${again}`));
      this.#send("acted", null);
    }
  }

  async #do(action, form) {
    const id = this.#bulk.bulkId;
    if (action === "cancel") {
      this.#send("acted", await actOnBulk(id, action));
      return;
    }
    const rows = form.get("rows");
    const wishes = rows === "files" ? {} : { rows };
    const made = await actOnBulk(id, action, { wishes, key: this.#keyOf(rows) });
    this.#keys.clear();
    this.#send("go", `bulks/${made.bulkId}`);
  }

  /** The same for a second attempt: a bulk whose answer was lost is found again. */
  #keyOf(rows) {
    if (!this.#keys.has(rows)) this.#keys.set(rows, uploadKey());
    return this.#keys.get(rows);
  }

  #send(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true }));
  }
}

const BUTTONS = {
  cancel: {
    word: "Cancel all", look: "danger",
    question: ({ files }) => ({
      title: "Cancel all imports of this bulk?",
      says: [el("p", {}, `${counted(files.running + files.waiting + files.paused, "file")} of ${files.total} not finished. A running import stops after its current chunk. Rows that are written by then stay in the table.`)],
      yes: "Cancel all", no: "Keep running", tone: "danger solid",
    }),
  },
  retry: {
    word: "Retry", look: "",
    question: (bulk) => {
      const choices = retryChoices(bulk);
      const chosen = choices.find(([, , many]) => many !== 0)?.[0];
      return {
        title: "What should be imported again?",
        says: [
          el("fieldset", { class: "choices" }, el("legend", { class: "visually-hidden" }, "Rows"), choices.map((choice) => radio(choice, chosen))),
          el("p", { class: "small muted" }, "A new bulk imports them from the uploaded files. This bulk does not change."),
        ],
        yes: "Retry", no: "Cancel", tone: "primary", isVain: !chosen,
      };
    },
  },
};

function retryChoices({ files, counts, progress }) {
  const total = progress.total ?? null;
  return [
    ["files", "Files that failed or were cancelled", files.failed + files.cancelled, "All of their rows."],
    ["failed", "Failed rows of all files", counts.failed, "Only useful if the files were right and the problem was elsewhere."],
    ["all", "All rows of all files", total, "Existing records are updated or stay as they are."],
  ];
}

customElements.define("bulk-actions", BulkActions);

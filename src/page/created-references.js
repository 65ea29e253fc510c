// <created-references>: the records of other tables that a job created on the way, by kind, with
// their names on demand. Shows a JobState; knows no address.

import { counted, el, number, put } from "./text.js";

/** Names that one press adds; a file may create as many records as it has rows. */
const NAMES = 200;

class CreatedReferences extends HTMLElement {
  #kinds = new Map();
  #total = el("span", { class: "muted small" });
  #list = el("ul", { class: "groups" });

  connectedCallback() {
    if (this.firstChild) return;
    this.hidden = true;
    this.append(el("header", { class: "row" }, el("h2", {}, "Created on the way"), this.#total), this.#list);
  }

  show({ references, isPartial }) {
    this.hidden = references.size === 0;
    if (this.hidden) return;
    // The list begins anew with a replay.
    if ([...this.#kinds.keys()].some((kind) => !references.has(kind))) this.#clear();
    let total = 0;
    for (const [kind, names] of references) {
      total += names.length;
      if (!this.#kinds.has(kind)) this.#add(kind);
      this.#kinds.get(kind).show(names);
    }
    put(this.#total, `${isPartial ? "at least " : ""}${counted(total, "record")}`);
  }

  #clear() {
    this.#kinds.clear();
    this.#list.replaceChildren();
  }

  #add(kind) {
    const made = new Kind(kind);
    this.#kinds.set(kind, made);
    this.#list.append(made.element);
  }
}

/** A kind of records with its names, built when somebody wants to see them. */
class Kind {
  #names = [];
  #shown = 0;
  #most = NAMES;
  #count = el("span", { class: "many" });
  #list = el("ul", { class: "names" });
  #more = el("button", { type: "button", class: "button compact", hidden: true, onclick: () => this.#further() }, "More");
  #details;

  constructor(kind) {
    this.#details = el(
      "details", { ontoggle: () => this.#fill() },
      el("summary", {}, this.#count, el("span", { class: "what" }, kind)),
      this.#list,
      this.#more,
    );
    this.element = el("li", { class: "reference-group" }, this.#details);
  }

  show(names) {
    if (names !== this.#names) {
      this.#shown = 0;
      this.#list.replaceChildren();
    }
    this.#names = names;
    put(this.#count, number(names.length));
    this.#fill();
  }

  #further() {
    this.#most += NAMES;
    this.#fill();
  }

  #fill() {
    if (!this.#details.open) return;
    const until = Math.min(this.#most, this.#names.length);
    this.#list.append(...this.#names.slice(this.#shown, until).map((name) => el("li", {}, name)));
    this.#shown = until;
    this.#more.hidden = until === this.#names.length;
  }
}

customElements.define("created-references", CreatedReferences);

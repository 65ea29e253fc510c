// <created-references>: the records of other tables that a job created, by column, with their names
// on demand. Shows a JobState; knows no address.

import { counted, el, listed, number, put } from "./text.js";

/** Names that one press adds; a file may create as many records as it has rows. */
const NAMES = 200;

class CreatedReferences extends HTMLElement {
  #kinds = new Map();
  #title = el("h2", {});
  #total = el("span", { class: "muted small" });
  #list = el("ul", { class: "groups" });

  connectedCallback() {
    if (this.firstChild) return;
    this.hidden = true;
    this.append(el("header", { class: "row" }, this.#title, this.#total), this.#list);
  }

  show({ references, isPartial }) {
    this.hidden = references.size === 0;
    if (this.hidden) return;
    // The list begins anew with a replay.
    if ([...this.#kinds.keys()].some((column) => !references.has(column))) this.#clear();
    let total = 0;
    for (const [column, { table, names }] of references) {
      total += names.length;
      if (!this.#kinds.has(column)) this.#add(column, table);
      this.#kinds.get(column).show(names);
    }
    put(this.#title, `New ${listed(Array.from(references.values(), ({ table }) => words(table)))}`);
    put(this.#total, `${isPartial ? "at least " : ""}${counted(total, "record")}`);
  }

  #clear() {
    this.#kinds.clear();
    this.#list.replaceChildren();
  }

  #add(column, table) {
    const made = new Kind(words(column), words(table));
    this.#kinds.set(column, made);
    this.#list.append(made.element);
  }
}

/** The name of a table or column as people read it. */
function words(name) {
  return name.replaceAll("_", " ");
}

/** The new records of one table, with their names built when somebody wants to see them. */
class Kind {
  #one;
  #many;
  #names = [];
  #shown = 0;
  #most = NAMES;
  #count = el("span", { class: "many" });
  #what = el("span", { class: "what" });
  #list = el("ul", { class: "names" });
  #more = el("button", { type: "button", class: "button compact", hidden: true, onclick: () => this.#further() }, "More");
  #details;

  constructor(one, many) {
    this.#one = one;
    this.#many = many;
    this.#details = el(
      "details", { ontoggle: () => this.#fill() },
      el("summary", {}, this.#count, this.#what),
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
    put(this.#what, names.length === 1 ? this.#one : this.#many);
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

// <definition-form>: a proposed definition to be looked at and corrected: names, types, the key, headers.
// Knows no API.

import { counted, el } from "./text.js";

/** Where the value of a new record without one comes from: label, and whether it needs a word. */
const DEFAULTS = {
  none: "No default",
  value: "This value:",
  same: "As in the column:",
  upper: "In capitals, the column:",
  lower: "In small letters, the column:",
  now: "The time of the upload",
  uuid: "A UUID",
};

const TYPES = ["text", "integer", "decimal(12,2)", "decimal(15,4)", "boolean", "date", "datetime", "json", "list"];

/** `show(answer)`: what the proposal call answers; `value()`: the proposal as it was corrected. */
class DefinitionForm extends HTMLElement {
  #proposal = null;
  #rows = [];
  #name = input({ id: "dataset-name" });
  #title = input({ id: "dataset-title" });

  show({ proposal }) {
    this.#proposal = proposal;
    this.#name.value = proposal.name;
    this.#title.value = proposal.title;
    this.#rows = proposal.columns.map((column) => new Row(column, proposal));
    this.className = "stack";
    const heads = ["Import", "Header", "Name", "Type", "Key", "Required", "Other headers", "More"];
    this.replaceChildren(...[
      el("div", { class: "option-grid" }, field("Name", this.#name, "In addresses: small letters, digits and _."), field("Title", this.#title, "What people read.")),
      el("p", { class: "small" }, proposal.createTable
        ? ["The server makes the table ", el("strong", {}, proposal.table), " when this is saved."]
        : ["Rows go into the table ", el("strong", {}, proposal.table), ", which stays as it is."]),
      proposal.notes.length > 0 && el("ul", { class: "notes small muted" }, proposal.notes.map((note) => el("li", {}, note))),
      el("p", { class: "small muted" }, `${counted(proposal.columns.length, "column")}. The key tells records apart: a row whose key is in the table changes that record.`),
      el("div", { class: "scroll definition-columns" }, el("table", { role: "table" },
        el("thead", {}, el("tr", {}, heads.map((title) => el("th", { scope: "col" }, title)))),
        el("tbody", { role: "rowgroup" }, this.#rows.map((row) => row.element)))),
    ].filter(Boolean));
  }

  value() {
    const name = this.#name.value.trim();
    const kept = this.#rows.filter((row) => row.isUsed);
    const columns = kept.map((row) => row.value(this.#proposal.createTable));
    const key = kept.filter((row) => row.isKey).map((row) => row.name);
    const { createTable } = this.#proposal;
    // A table that is to be made has the name of its dataset.
    const table = createTable && this.#proposal.table === this.#proposal.name ? name : this.#proposal.table;
    return { name, title: this.#title.value.trim(), table, key, createTable, columns, notes: this.#proposal.notes };
  }
}

function field(label, control, hint) {
  return el("div", { class: "field" }, el("label", { for: control.id }, label), control, el("p", { class: "hint" }, hint));
}

function input(attributes) {
  return el("input", { type: "text", autocomplete: "off", spellcheck: "false", ...attributes });
}

/** A column of the proposal. */
class Row {
  #column;
  #use;
  #title;
  #name;
  #type;
  #key;
  #required;
  #aliases;
  #pattern;
  #example;
  #formats;
  #default;
  #word;
  #sensitive;

  constructor(column, { key }) {
    this.#column = column;
    const of = (words) => `${words} of ${column.name}`;
    const tick = (words, checked) => el("input", { type: "checkbox", "aria-label": of(words), checked });
    this.#use = tick("Import", true);
    this.#title = input({ "aria-label": of("Header"), value: column.title });
    this.#name = input({ "aria-label": of("Name"), value: column.name });
    const types = TYPES.includes(column.type) ? TYPES : [column.type, ...TYPES];
    this.#type = el("select", { "aria-label": of("Type") }, types.map((type) => el("option", { value: type }, type)));
    this.#type.value = column.type;
    this.#key = tick("Key", key.includes(column.name));
    this.#required = tick("Required", column.required);
    this.#aliases = input({ "aria-label": of("Other headers"), value: (column.aliases ?? []).join(", ") });
    this.#pattern = input({ "aria-label": of("Pattern"), value: column.pattern ?? "" });
    this.#example = input({ "aria-label": of("Example"), value: column.example ?? "" });
    this.#formats = el("textarea", { rows: 2, spellcheck: "false", "aria-label": of("Date formats"), value: (column.formats ?? []).join("\n") });
    this.#default = el("select", { "aria-label": of("Default") }, Object.entries(DEFAULTS).map(([value, label]) => el("option", { value }, label)));
    this.#word = input({ "aria-label": of("Value or column of the default") });
    this.#sensitive = tick("Sensitive", column.sensitive ?? false);
    this.#default.addEventListener("change", () => this.#asksWord());
    this.#showDefault(column.default);
    this.#key.addEventListener("change", () => {
      // A record without its key cannot be found.
      if (this.#key.checked) this.#required.checked = true;
    });
    this.element = this.#element();
    this.#use.addEventListener("change", () => this.element.classList.toggle("left-out", !this.#use.checked));
  }

  #element() {
    const { references, into, allowed } = this.#column;
    const together = references?.with?.length > 0 ? ` with ${references.with.map((part) => part.column).join(", ")}` : "";
    const about = into ? `list of ${into.references.table}.${into.references.match} in ${into.table}` : references ? `names ${references.table}.${references.match}${together}` : allowed?.length > 0 ? `one of ${allowed.join(", ")}` : null;
    const cell = (label, ...inside) => el("td", { role: "cell", dataset: { label } }, inside);
    return el("tr", { role: "row" },
      cell("Import", this.#use), cell("Header", this.#title), cell("Name", this.#name),
      cell("Type", references || into ? el("span", { class: "small" }, about) : [this.#type, about && el("p", { class: "small muted" }, about)]),
      cell("Key", this.#key), cell("Required", this.#required), cell("Other headers", this.#aliases), cell("More", this.#more()));
  }

  /** The rules that few columns need. */
  #more() {
    const part = (words, ...controls) => el("label", { class: "stack-tight small" }, el("span", {}, words), controls);
    const is = this.#column;
    const isGiven = Boolean(is.pattern || is.example || is.formats?.length || is.default || is.sensitive);
    return el("details", { class: "column-rules", open: isGiven && "" },
      el("summary", { class: "small", "aria-label": `More rules of ${is.name}` }, "Rules"),
      part("Pattern of the whole text, a regular expression such as [0-9]{5}", this.#pattern),
      part("An example for the template; a pattern needs one", this.#example),
      part("The only forms of its dates, such as %d.%m.%Y, one on each line", this.#formats),
      part("Where a row has no value, a new record gets", this.#default, this.#word),
      el("label", { class: "row small" }, this.#sensitive, el("span", {}, "Sensitive: its values are shown to nobody")));
  }

  #showDefault(given) {
    const isColumn = Boolean(given?.column);
    this.#default.value = !given ? "none" : typeof given === "string" ? "value" : isColumn ? (given.case ?? "same") : given.generate;
    this.#word.value = typeof given === "string" ? given : (given?.column ?? "");
    this.#asksWord();
  }

  #asksWord() {
    this.#word.hidden = ["none", "now", "uuid"].includes(this.#default.value);
  }

  #defaultValue() {
    const word = this.#word.value.trim();
    switch (this.#default.value) {
      case "none": return undefined;
      case "value": return word;
      case "same": return { column: word };
      case "upper": case "lower": return { column: word, case: this.#default.value };
      default: return { generate: this.#default.value };
    }
  }

  get isUsed() {
    return this.#use.checked;
  }

  get isKey() {
    return this.#key.checked;
  }

  get name() {
    return this.#name.value.trim();
  }

  value(isMade) {
    const column = { ...this.#column, name: this.name, title: this.#title.value.trim(), type: this.#type.value, required: this.#required.checked };
    if (column.type !== this.#column.type && column.type !== "text") delete column.maxLength;
    const pattern = this.#pattern.value.trim();
    const formats = this.#formats.value.split("\n").map((format) => format.trim()).filter(Boolean);
    // What is not given is left out.
    Object.assign(column, { pattern: pattern || undefined, example: this.#example.value.trim() || undefined, formats: formats.length > 0 ? formats : undefined, default: this.#defaultValue(), sensitive: this.#sensitive.checked || undefined });
    column.aliases = this.#aliases.value.split(",").map((alias) => alias.trim()).filter(Boolean);
    // The column of the table keeps its name when the one in the API gets another.
    if (!isMade && !column.into && !column.field && column.name !== this.#column.name) column.field = column.references ? `${this.#column.name}_id` : this.#column.name;
    return column;
  }
}

customElements.define("definition-form", DefinitionForm);

// <dataset-maker>: from a table of the database, or from a file, to a dataset: the choice, the proposal,
// saving, and on to the upload. Knows the API's calls; <definition-form> edits what is proposed.

import * as api from "./api.js";
import "./definition-form.js";
import "./drop-zone.js";
import { back } from "./unknown-page.js";
import { counted, el, put, sentence } from "./text.js";

/** Tables from which on a field to find one is shown. */
const FIND_FROM = 9;

/** Sends "go" to the upload, and "dataset-made" on the document with `{ name, file }`. */
class DatasetMaker extends HTMLElement {
  #leaving;
  #file = null;
  #asked = 0;
  #canSave = false;
  #tables = el("div", { class: "tables" }, el("p", { class: "muted small" }, "Looking at the tables …"));
  #drop = el("drop-zone");
  #note = el("p", { class: "note bad", role: "alert", hidden: true });
  #choice = el("section", { class: "card stack", "aria-labelledby": "choose-source" });
  #made = el("section", { class: "card stack", "aria-labelledby": "proposal-title", hidden: true });
  #form = el("definition-form");
  #faults = el("div", { class: "faults", role: "alert" });
  #text = el("pre", { class: "definition", tabindex: 0, "aria-label": "The definition as a file", hidden: true });
  #save = el("button", { id: "save-dataset", type: "submit", class: "button primary" }, "Save and go on");
  #replace = el("button", { id: "replace-dataset", type: "button", class: "button danger", hidden: true, onclick: () => this.#send({ overwrite: true }) }, "Replace the dataset");
  #check = el("button", { id: "check-dataset", type: "button", class: "button", onclick: () => this.#look() }, "Check and show the file");

  connectedCallback() {
    this.#leaving = new AbortController();
    this.classList.add("stack");
    if (!this.hasChildNodes()) this.#build();
    this.#load();
  }

  disconnectedCallback() {
    this.#leaving.abort();
    api.server.removeEventListener("back", this.#load);
  }

  #build() {
    this.#choice.append(el("h1", { id: "choose-source" }, "New dataset"),
      el("p", {}, "A dataset says into which table the rows of a file go. Choose a table that is there, or drop a file and let a table be made for it."),
      this.#note,
      el("h2", {}, "A file"), this.#drop,
      el("h2", {}, "A table of the database"), this.#tables);
    this.#made.append(
      el("form", { class: "stack", novalidate: true, onsubmit: (event) => { event.preventDefault(); this.#send({}); } },
        el("header", { class: "spread" }, el("h2", { id: "proposal-title", tabindex: -1 }, "The proposal"),
          el("button", { type: "button", class: "button compact", onclick: () => this.#again() }, "Choose something else")),
        this.#form, this.#faults,
        el("p", { class: "row" }, this.#save, this.#replace, this.#check)),
      this.#text);
    this.append(back(), this.#choice, this.#made);
    this.#drop.addEventListener("files", ({ detail: [file] }) => this.#fromFile(file));
    this.#form.addEventListener("input", () => this.#edited());
  }

  #load = async () => {
    api.server.removeEventListener("back", this.#load);
    try {
      const [{ tables, more, canSave }, limits] = await Promise.all([api.tables(this.#leaving.signal), api.limits(this.#leaving.signal)]);
      this.#canSave = canSave;
      this.#drop.take("All rows are looked at, and nothing is kept of the file.", limits.extensions);
      this.#showTables(tables, more);
    } catch (fault) {
      if (fault.name === "AbortError") return;
      if (fault instanceof api.NoAnswer) api.server.addEventListener("back", this.#load);
      this.#tables.replaceChildren(el("p", { class: "note bad" }, sentence(fault.message)));
    }
  };

  #showTables(tables, more) {
    if (tables.length === 0) {
      this.#tables.replaceChildren(el("p", { class: "muted" }, "The database has no table but those of the server. Drop a file above: a table is made for it."));
      return;
    }
    const list = el("ul", { class: "table-list" }, tables.map((table) => this.#table(table)));
    const find = el("input", { id: "find-table", type: "search", "aria-label": "Find a table", placeholder: "Find a table", oninput: () => {
      const wanted = find.value.trim().toLowerCase();
      for (const item of list.children) item.hidden = !item.dataset.name.includes(wanted);
    } });
    this.#tables.replaceChildren(...[
      tables.length >= FIND_FROM && find, list,
      more > 0 && el("p", { class: "muted small" }, `${counted(more, "further table")} not shown; name one with the command loadbay datasets infer.`),
    ].filter(Boolean));
  }

  #table({ table, columns, importable, reason, keys, dataset }) {
    const about = [counted(columns, "column"), dataset && `dataset ${dataset} is there`].filter(Boolean).join(" · ");
    const buttons = keys.length < 2
      ? [el("button", { type: "button", class: "button compact", disabled: !importable, "aria-label": `Use ${table}`, onclick: () => this.#fromTable(table) }, "Use")]
      : keys.map((key) => el("button", { type: "button", class: "button compact", disabled: !importable, "aria-label": `Use ${table} by ${key.join(" and ")}`, onclick: () => this.#fromTable(table, key) }, `Use by ${key.join(" and ")}`));
    return el("li", { dataset: { name: table.toLowerCase() } },
      el("div", {}, el("p", { class: "name" }, table), el("p", { class: "muted small" }, about), reason && el("p", { class: "small bad-text" }, sentence(reason))),
      importable && el("p", { class: "row" }, buttons));
  }

  #fromTable(table, key) {
    this.#file = null;
    this.#propose(() => api.infer({ table, ...(key && { key }) }, this.#leaving.signal));
  }

  #fromFile(file) {
    this.#file = file;
    this.#propose(() => api.inferFile(file, this.#leaving.signal));
  }

  async #propose(call) {
    const number = ++this.#asked;
    this.#say("");
    this.#choice.setAttribute("aria-busy", "true");
    try {
      const answer = await call();
      if (number !== this.#asked) return;
      this.#form.show(answer);
      this.#edited();
      if (answer.exists) this.#exists(answer.proposal.name);
      this.#save.hidden = !this.#canSave;
      if (!this.#canSave) this.#fault(["The server has no folder for definitions, so it cannot save this one. Check it, and put the file that is shown then into a folder that LOADBAY_DATASETS_DIR names."]);
      this.#choice.hidden = true;
      this.#made.hidden = false;
      document.getElementById("proposal-title").focus();
    } catch (fault) {
      if (fault.name === "AbortError" || number !== this.#asked) return;
      this.#say(fault.message);
    } finally {
      this.#choice.removeAttribute("aria-busy");
    }
  }

  #again() {
    this.#made.hidden = true;
    this.#choice.hidden = false;
    this.#drop.focus();
  }

  #edited() {
    this.#faults.replaceChildren();
    this.#replace.hidden = true;
    this.#text.hidden = true;
  }

  #exists(name) {
    this.#fault([`There is a dataset ${name} already. Give this one another name, or replace it.`]);
    this.#replace.hidden = !this.#canSave;
  }

  /** Checks the definition and shows it as the file that would be written. */
  async #look() {
    try {
      const { definition } = await api.saveDataset(this.#form.value(), { dryRun: true });
      this.#edited();
      this.#text.hidden = false;
      put(this.#text, definition);
    } catch (fault) {
      this.#refused(fault);
    }
  }

  async #send(wishes) {
    const proposal = this.#form.value();
    this.#save.setAttribute("aria-busy", "true");
    try {
      await api.saveDataset(proposal, wishes);
      document.dispatchEvent(new CustomEvent("dataset-made", { detail: { name: proposal.name, file: this.#file } }));
      this.dispatchEvent(new CustomEvent("go", { bubbles: true, detail: `./?dataset=${encodeURIComponent(proposal.name)}` }));
    } catch (fault) {
      this.#refused(fault, proposal.name);
    } finally {
      this.#save.removeAttribute("aria-busy");
    }
  }

  #refused(fault, name) {
    if (fault.code === "dataset_exists" && name) return this.#exists(name);
    const parts = (fault.faults ?? []).map(({ line, key, message }) => `${key || `Line ${line}`}: ${message}`.replaceAll("`", ""));
    this.#fault(parts.length > 0 ? parts : [fault.message]);
  }

  #fault(sentences) {
    this.#faults.replaceChildren(...sentences.map((words) => el("p", { class: "note bad" }, sentence(words))));
  }

  #say(words) {
    this.#note.hidden = !words;
    this.#note.replaceChildren(...(words ? sentence(words) : []));
  }
}

customElements.define("dataset-maker", DatasetMaker);

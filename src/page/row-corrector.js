// <row-corrector>: the failed rows of a finished job as a table to be corrected and sent again: find and
// replace, currency signs, single cells. Shows a JobState; knows the API's calls.

import { NoAnswer, linked, rowErrors, send, text, uploadKey } from "./api.js";
import { parseCsv, writeCsv } from "./csv.js";
import { isRollback } from "./job-kind.js";
import { counted, el, number, put, sentence } from "./text.js";

/** More failed rows are corrected in a spreadsheet. */
const ROWS_MAX = 1000;

/** Errors of one answer. */
const PAGE = 500;

/** Options that say where the rows were in the first file, or what was done with it. */
const OF_THE_FIRST_FILE = ["dryRun", "delimiter", "encoding", "sheet", "headerRow", "hidden", "savedMapping", "saveMapping", "rows", "maxErrors", "mirrorMax", "scope"];

/** Signs and codes of currencies beside a number. */
const CURRENCY = /\p{Sc}|\b(?:USD|EUR|GBP|INR|CHF|JPY|CNY|BRL|IDR|PLN|SEK|NOK|DKK|Rs\.?)(?![A-Za-z])/giu;

class RowCorrector extends HTMLElement {
  #job = null;
  #leaving;
  #header = [];
  #rows = [];
  #wrong = new Map();
  #open = el("button", { type: "button", class: "button", onclick: () => this.#load() }, "Correct the failed rows here");
  #fault = el("p", { class: "note bad", role: "alert", hidden: true });
  #body = el("div", { class: "stack" });

  connectedCallback() {
    this.#leaving = new AbortController();
    if (!this.hasChildNodes()) this.append(el("h2", {}, "Correct and send again"), this.#fault, el("p", {}, this.#open), this.#body);
    this.hidden = this.#job === null;
  }

  disconnectedCallback() {
    this.#leaving.abort();
  }

  show({ job, isOver, counts }) {
    const failed = counts.failed ?? 0;
    const canBe = isOver && failed > 0 && Boolean(job.links?.errorsCsv) && !isRollback(job);
    this.hidden = !canBe;
    if (!canBe || this.#job) return;
    this.#job = job;
    if (failed > ROWS_MAX) {
      this.#open.hidden = true;
      this.#body.replaceChildren(el("p", { class: "small" }, `Up to ${number(ROWS_MAX)} rows can be corrected on this page, and ${number(failed)} failed. Correct the CSV or XLSX of the failed rows above, and import it like any other file.`));
    }
  }

  async #load() {
    this.#say("");
    this.#open.disabled = true;
    try {
      const { signal } = this.#leaving;
      const [csv] = await Promise.all([text(linked(this.#job.links.errorsCsv), signal), this.#learnErrors(signal)]);
      [this.#header, ...this.#rows] = parseCsv(csv, this.#delimiter());
      this.#build();
      this.#open.parentElement.hidden = true;
    } catch (fault) {
      if (fault.name !== "AbortError") this.#say(fault.message);
    } finally {
      this.#open.disabled = false;
    }
  }

  /** The list is written with the delimiter of the file, as that decides how numbers are read. */
  #delimiter() {
    return this.#job.detected?.delimiter ?? ",";
  }

  /** Row → columns of the dataset with an error → why. */
  async #learnErrors(signal) {
    let cursor = null;
    do {
      const page = await rowErrors(this.#job.jobId, { limit: PAGE, cursor }, signal);
      for (const { rowNumber, column, message } of page.errors) {
        const row = String(rowNumber);
        if (!this.#wrong.has(row)) this.#wrong.set(row, new Map());
        this.#wrong.get(row).set(column ?? "", message);
      }
      cursor = page.nextCursor;
    } while (cursor);
  }

  /** The dataset's column that a header feeds. */
  #fed(index) {
    const { header = [], columns = [] } = this.#job.detected ?? {};
    return columns[header.indexOf(this.#header[index])] ?? null;
  }

  #build() {
    const own = this.#header.map((name, index) => ({ name, index, column: this.#fed(index) })).filter(({ name }) => name !== "_row" && name !== "_error");
    const faulty = new Set([...this.#wrong.values()].flatMap((errors) => [...errors.keys()]));
    const some = own.some(({ column }) => faulty.has(column));
    const only = el("input", { id: "only-faulty", type: "checkbox", checked: some, disabled: !some, onchange: () => table.classList.toggle("only-faulty", only.checked) });
    const table = el("table", { class: some && "only-faulty" },
      el("thead", {}, el("tr", {}, el("th", { scope: "col", class: "number" }, "Row"), own.map(({ name, column }) => el("th", { scope: "col", class: !faulty.has(column) && "sound" }, name)), el("th", { scope: "col" }, "Why it failed"))),
      el("tbody", {}, this.#rows.map((row) => this.#row(row, own, faulty))));
    const go = el("button", { id: "send-corrected", type: "button", class: "button primary", onclick: () => this.#send(go) }, `Import ${counted(this.#rows.length, "corrected row")}`);
    this.#body.replaceChildren(
      el("div", { class: "row" }, el("label", { class: "check small" }, only, "Only columns with errors")),
      this.#tools(own, faulty),
      el("div", { class: "scroll correct", tabindex: 0, role: "group", "aria-label": "Failed rows" }, table),
      el("p", { class: "row" }, go, el("span", { class: "small muted" }, "A new job imports these rows; a row that is still wrong fails again.")));
    this.#body.querySelector("input[data-cell]")?.focus();
  }

  #row(row, own, faulty) {
    const at = (name) => row[this.#header.indexOf(name)] ?? "";
    const errors = this.#wrong.get(at("_row")) ?? new Map();
    return el("tr", {}, el("td", { class: "number muted" }, at("_row")),
      own.map(({ name, index, column }) => {
        const why = errors.get(column);
        const cell = el("input", { type: "text", value: row[index] ?? "", "aria-label": `${name} in row ${at("_row")}`, "aria-invalid": Boolean(why) && "true", title: why, dataset: { cell: index },
          oninput: () => { row[index] = cell.value; } });
        return el("td", { class: !faulty.has(column) && "sound" }, cell);
      }),
      el("td", { class: "small bad-text why" }, sentence(at("_error"))));
  }

  /** Find and replace, and taking off currencies, in one column or in all. */
  #tools(own, faulty) {
    const ordered = [...own].sort((one, other) => faulty.has(other.column) - faulty.has(one.column));
    const where = el("select", { id: "correct-column", "aria-label": "In column" }, ordered.map(({ name, index }) => el("option", { value: index }, name)));
    const find = el("input", { id: "correct-find", type: "text", "aria-label": "Find", placeholder: "Find" });
    const by = el("input", { id: "correct-by", type: "text", "aria-label": "Replace by", placeholder: "Replace by" });
    const said = el("span", { class: "small muted", role: "status" });
    const change = (correct) => {
      const index = Number(where.value);
      let changed = 0;
      for (const row of this.#rows) {
        const before = row[index] ?? "";
        const after = correct(before);
        if (after === before) continue;
        row[index] = after;
        changed += 1;
      }
      for (const cell of this.#body.querySelectorAll(`input[data-cell="${index}"]`)) {
        const line = cell.closest("tr");
        cell.value = this.#rows[[...line.parentElement.children].indexOf(line)][index] ?? "";
      }
      put(said, `${counted(changed, "cell")} changed`);
    };
    return el("div", { class: "row tools" }, where, find, by,
      el("button", { id: "correct-replace", type: "button", class: "button compact", onclick: () => find.value && change((cell) => cell.replaceAll(find.value, by.value)) }, "Replace"),
      el("button", { id: "correct-currency", type: "button", class: "button compact", onclick: () => change((cell) => cell.replace(CURRENCY, "").trim()) }, "Take currencies off"),
      said);
  }

  async #send(button) {
    this.#say("");
    button.disabled = true;
    try {
      const name = `corrected rows of job ${this.#job.jobId}.csv`;
      const file = new File([writeCsv([this.#header, ...this.#rows], this.#delimiter())], name, { type: "text/csv" });
      const { jobId } = await send(this.#job.dataset, [file], this.#options(), { signal: this.#leaving.signal, key: uploadKey() });
      this.dispatchEvent(new CustomEvent("go", { bubbles: true, detail: `jobs/${jobId}` }));
    } catch (fault) {
      if (fault.name === "AbortError") return;
      this.#say(fault instanceof NoAnswer ? "The server does not answer. What you corrected is still here." : fault.message);
    } finally {
      button.disabled = false;
    }
  }

  /** The rows are read as they were in the first file. */
  #options() {
    const wanted = {};
    for (const [name, value] of Object.entries(this.#job.options ?? {})) {
      // These rows are not the whole of a table: they never remove others.
      if (value === null || value === "undeclared" || value === "mirror" || OF_THE_FIRST_FILE.includes(name)) continue;
      wanted[name] = typeof value === "object" && !Array.isArray(value) ? JSON.stringify(value) : String(value);
    }
    const { decimal } = this.#job.detected ?? {};
    if (!wanted.decimal && ["point", "comma"].includes(decimal)) wanted.decimal = decimal;
    return { ...wanted, delimiter: this.#delimiter() === "\t" ? "tab" : this.#delimiter(), encoding: "utf-8" };
  }

  #say(words) {
    this.#fault.hidden = !words;
    this.#fault.replaceChildren(...(words ? sentence(words) : []));
  }
}

customElements.define("row-corrector", RowCorrector);

// <error-groups>: the row errors of a job by code and column, most frequent first; a group opens to
// its rows. Asks for groups and rows when they are wanted; shows a JobState.

import { NoAnswer, dataset, errorGroups, rowErrors, server } from "./api.js";
import { capitalised, counted, el, number, put, sentence } from "./text.js";
import { downloadLink } from "./download-link.js";
import { isRollback } from "./job-kind.js";

/** Groups of a running job are asked for again at most this often. */
const PAUSE = 500;
/** Rows that one press adds to a group, and how many answers are looked through for them. */
const ROWS = 25;
const PAGE = 500;
const PAGES = 20;
/** What is wrong, where the words of the code say it badly. */
const TITLES = {
  required: "No value",
  not_an_integer: "Not a whole number",
  ambiguous_number: "A number that can be read in two ways",
  out_of_range: "Too small or too large",
  not_a_boolean: "Neither yes nor no",
  not_json: "Not JSON",
  not_allowed: "Not one of the allowed values",
  pattern_mismatch: "Not of the form that the column takes",
  nul_character: "A character that no text may have",
  control_character: "A character that no text may have",
  bad_encoding: "Letters that cannot be read",
  precision_lost: "Digits lost by the spreadsheet",
  cell_error: "An error of the spreadsheet",
  formula_without_value: "A formula without a result",
  became_day: "The spreadsheet made a day of it",
  malformed_row: "Lines that cannot be read",
  unknown_key: "A key that the file does not declare",
  missing_columns: "Rows that end too early",
  too_many_columns: "Rows with too many cells",
  other_header: "A header in another order",
  total_row: "A total in the place of a key",
  duplicate_in_file: "The same key in a later row",
  unknown_reference: "A name that does not exist",
  constraint_violated: "Refused by a rule of the table",
  refused_by_strict: "A warning, and the upload is strict",
  changed_since: "Changed after the import",
};

/** Errors whose message is about the row, not only about its value. */
const OF_THE_ROW = ["other_header", "total_row", "constraint_violated", "refused_by_database", "changed_since", "duplicate_in_file"];

class ErrorGroups extends HTMLElement {
  #id = null;
  #dataset = null;
  #asked = "";
  #askedAt = 0;
  #timer = null;
  #leaving = null;
  #groups = new Map();
  #columns = null;
  #title = el("h2", {}, "Errors");
  #total = el("span", { class: "muted small" });
  #links = el("p", { class: "row small" });
  #list = el("ul", { class: "groups" });
  #fault = el("p", { class: "small muted", role: "status", hidden: true });

  connectedCallback() {
    this.#leaving = new AbortController();
    if (this.firstChild) return;
    this.hidden = true;
    this.append(
      el("header", { class: "spread" }, el("div", { class: "row" }, this.#title, this.#total), this.#links),
      this.#list,
      this.#fault,
    );
  }

  disconnectedCallback() {
    this.#leaving.abort();
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  show(state) {
    const failed = state.counts.failed ?? 0;
    this.hidden = failed === 0;
    if (failed === 0) return;
    this.#id = state.job.jobId;
    this.#dataset = state.job.dataset;
    put(this.#title, isRollback(state.job) ? "Kept" : "Errors");
    this.#showLinks(state.job.links ?? {});
    const wanted = `${failed} ${state.isOver}`;
    if (wanted === this.#asked || this.#timer !== null) return;
    const pause = state.isOver ? 0 : Math.max(0, this.#askedAt + PAUSE - Date.now());
    this.#timer = setTimeout(() => this.#ask(wanted), pause);
  }

  #showLinks({ errorsCsv, errorsXlsx }) {
    if (this.#links.firstChild || !errorsCsv) return;
    const say = (reason) => this.#say(reason);
    this.#links.append(downloadLink(errorsCsv, "CSV", {}, say), errorsXlsx ? downloadLink(errorsXlsx, "XLSX", {}, say) : "");
  }

  async #ask(wanted) {
    this.#askedAt = Date.now();
    try {
      const [{ groups, total }] = await Promise.all([errorGroups(this.#id, this.#leaving.signal), this.#learnColumns()]);
      this.#asked = wanted;
      // Of the same moment as the groups: their counts add up to it.
      put(this.#total, counted(total, "error"));
      this.#say("");
      this.#list.replaceChildren(...groups.map((group) => this.#group(group)));
    } catch (fault) {
      if (fault.name === "AbortError") return;
      if (fault instanceof NoAnswer) server.addEventListener("back", () => this.#ask(wanted), { once: true });
      this.#say(`The groups cannot be shown: ${fault.message}`);
    } finally {
      this.#timer = null;
    }
  }

  #say(words) {
    put(this.#fault, words);
    this.#fault.hidden = !words;
  }

  /** The titles of the dataset's columns, asked for once; without an answer the names do. */
  async #learnColumns() {
    if (this.#columns) return;
    try {
      const { columns } = await dataset(this.#dataset, this.#leaving.signal);
      this.#columns = new Map(columns.map(({ name, title }) => [name, title]));
    } catch (fault) {
      if (fault.name === "AbortError") throw fault;
    }
  }

  /** The same element as before for a group that is known, so that it stays open. */
  #group(group) {
    const key = `${group.code} ${group.column ?? ""}`;
    const known = this.#groups.get(key) ?? new Group(group, (filter) => rowErrors(this.#id, filter, this.#leaving.signal));
    this.#groups.set(key, known);
    known.show(group, this.#columns?.get(group.column) ?? group.column);
    return known.element;
  }
}

/** A group with its rows, which are looked for when it is opened. */
class Group {
  #is;
  #page;
  #cursor = null;
  #started = false;
  #found = 0;
  #kept = [];
  #isAsking = false;
  #count = el("span", { class: "many" });
  #message = el("span", { class: "message" });
  #where = el("span", { class: "where muted" });
  #rows = el("tbody", {});
  #state = el("p", { class: "small muted", role: "status" });
  #more = el("button", { type: "button", class: "button compact", hidden: true, onclick: () => this.#look() }, "More");

  constructor(group, page) {
    this.#page = page;
    this.#is = (error) => error.code === group.code && (error.column ?? null) === (group.column ?? null);
    const head = [el("th", { scope: "col", class: "number" }, "Row"), el("th", { scope: "col" }, "Key"), el("th", { scope: "col" }, "Value")];
    this.element = el(
      "li", { class: "error-group" },
      el(
        "details", { ontoggle: (event) => event.target.open && !this.#started && this.#look() },
        el("summary", {}, this.#count, el("span", { class: "what" }, this.#message, this.#where)),
        el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Rows of this error" }, el("table", {}, el("thead", {}, el("tr", {}, head)), this.#rows)),
        el("div", { class: "row" }, this.#state, this.#more),
      ),
    );
  }

  /** A group with the title of its column. */
  show({ code, count, firstRow, message }, columnTitle) {
    this.total = count;
    put(this.#count, number(count));
    const title = TITLES[code] ?? capitalised(code.replaceAll("_", " "));
    put(this.#message, columnTitle ? `${title} in ${columnTitle}` : title);
    this.#message.title = code;
    const first = firstRow ? ` · first in row ${number(firstRow)}` : "";
    this.#where.replaceChildren(...sentence(message), first);
    if (this.#started && !this.#isAsking) this.#tell();
  }

  /** Adds the next rows of this group; the pages hold those of all groups. */
  async #look() {
    if (this.#isAsking) return;
    this.#isAsking = true;
    this.#started = true;
    this.#more.disabled = true;
    put(this.#state, "Loading rows …");
    try {
      for (let pages = 0; this.#kept.length < ROWS && pages < PAGES && this.#cursor !== undefined; pages += 1) {
        const answer = await this.#page({ limit: PAGE, cursor: this.#cursor });
        this.#kept.push(...answer.errors.filter(this.#is));
        this.#cursor = answer.nextCursor ?? undefined;
      }
      const rows = this.#kept.splice(0, ROWS);
      this.#found += rows.length;
      this.#rows.append(...rows.map(errorRow));
      this.#tell();
    } catch (fault) {
      if (fault.name !== "AbortError") put(this.#state, fault.message);
    } finally {
      this.#isAsking = false;
      this.#more.disabled = false;
    }
  }

  #tell() {
    const isAll = this.#cursor === undefined && this.#kept.length === 0;
    this.#more.hidden = isAll;
    const rest = isAll && this.#found < this.total ? "; the others are in the CSV" : "";
    put(this.#state, `${number(this.#found)} of ${number(this.total)} shown${rest}`);
  }
}

/** A row with its value, and with its message where that differs from row to row. */
function errorRow({ rowNumber, key, value, message, code }) {
  const isEmpty = value === null || value === undefined || value === "";
  const cell = isEmpty ? el("span", { class: "muted" }, "empty") : el("span", { class: "value mono" }, shortened(value, 200));
  const own = OF_THE_ROW.includes(code) ? el("div", { class: "muted" }, capitalised(message)) : null;
  return el("tr", {}, el("td", { class: "number" }, number(rowNumber)), el("td", { class: "mono" }, key ? shortened(key) : ""), el("td", {}, cell, own));
}

function shortened(text, most = 40) {
  const all = String(text);
  return all.length > most ? `${all.slice(0, most)}…` : all;
}

customElements.define("error-groups", ErrorGroups);

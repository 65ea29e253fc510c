// <file-preview>: what a file would be read as, before it is sent: what was detected, which header
// feeds which column (and may be changed), the first rows with their errors. Knows no API.

import { counted, el, number, sentence, size } from "./text.js";
import { warningList } from "./warning-list.js";

const FORMATS = { csv: "Text", ndjson: "JSON lines", json: "JSON array", xlsx: "Excel workbook", xlsb: "Binary workbook", xls: "Old Excel workbook", ods: "OpenDocument sheet" };
const DELIMITERS = { ",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe" };
const DECIMALS = { point: "with point", comma: "with comma", undeclared: "not declared" };
/** More recognised headers than this are folded away: only what needs a look stays open. */
const FOLDED_FROM = 9;

/**
 * `show(preview, columns)`: an answer of the preview call and the dataset's columns.
 * Sends "mapping" when a header was given another column, "option" with the name of the option that a
 * chip or a warning stands for, and "choose" with `{ name, value }` when an option was chosen here.
 */
class FilePreview extends HTMLElement {
  #mapping = {};

  /** Header → column name, as far as it was changed by hand; "" leaves the header out. */
  get mapping() {
    return this.#mapping;
  }

  /** Forgets what was changed: another file comes. */
  clear() {
    this.#mapping = {};
    this.say("");
  }

  wait() {
    this.setAttribute("aria-busy", "true");
    if (!this.hasChildNodes()) this.append(el("p", { class: "muted small looking" }, "Reading the file …"));
  }

  /** A sentence, or nothing, in place of a preview. */
  say(words) {
    this.removeAttribute("aria-busy");
    this.replaceChildren();
    if (words) this.append(el("p", { class: "muted small" }, words));
  }

  show(preview, columns) {
    this.removeAttribute("aria-busy");
    const focused = this.contains(document.activeElement) ? document.activeElement.id : "";
    this.replaceChildren(...[
      part(preview),
      this.#chips(preview),
      warningList(preview.warnings, (option) => this.#point(option)),
      faults(preview),
      this.#columns(preview, columns),
      absent(preview),
      firstRows(preview),
    ].filter(Boolean));
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }

  #point(option) {
    this.dispatchEvent(new CustomEvent("option", { detail: option }));
  }

  #choose(name, value) {
    this.dispatchEvent(new CustomEvent("choose", { detail: { name, value } }));
  }

  /** The sheets of a workbook with more than one, to choose from. */
  #sheets({ detected, sheets = [] }) {
    if (sheets.length < 2) return null;
    const select = el("select", { id: "choose-sheet", onchange: () => this.#choose("sheet", select.value) },
      sheets.map((name) => el("option", { value: name }, name)));
    select.value = detected.sheet;
    return el("li", {}, el("label", { class: "chip editable" }, el("span", { class: "label" }, "Sheet"), select));
  }

  /** The row of the header, to be corrected. */
  #headerRow({ headerRow }) {
    if (headerRow === 0) return null;
    const input = el("input", { id: "choose-header-row", type: "number", min: 1, max: 1000, step: 1, value: headerRow,
      onchange: () => input.checkValidity() && this.#choose("headerRow", input.value) });
    return el("li", {}, el("label", { class: "chip editable" }, el("span", { class: "label" }, "Header row"), input));
  }

  #chips(preview) {
    const { detected } = preview;
    const sheets = this.#sheets(preview);
    const chip = (option, label, value) => value && el("li", {}, el("button", {
      class: "chip", type: "button", title: "Change this in the options",
      onclick: () => this.#point(option),
    }, el("span", { class: "label" }, label), value));
    const sureness = detected.bom ? " with mark" : detected.encodingGuessed ? ", guessed" : "";
    const encoding = detected.encoding && `${detected.encoding.toUpperCase()}${sureness}`;
    return el("ul", { class: "chips", "aria-label": "Detected in the file" },
      el("li", {}, el("span", { class: "chip" }, el("span", { class: "label" }, "Format"), FORMATS[detected.format] ?? detected.format)),
      chip("delimiter", "Delimiter", detected.delimiter && (DELIMITERS[detected.delimiter] ?? detected.delimiter)),
      chip("encoding", "Encoding", encoding),
      sheets ?? chip("sheet", "Sheet", detected.sheet),
      this.#headerRow(detected),
      chip("decimal", "Decimals", DECIMALS[detected.decimal] ?? detected.decimal));
  }

  #columns(preview, columns) {
    const known = preview.columns.filter((column) => column.column).length;
    const all = preview.columns.length;
    const open = known < all || all < FOLDED_FROM || preview.missing.some((column) => column.required);
    return el("details", { class: "mapping", open },
      el("summary", {}, el("strong", {}, `${number(known)} of ${counted(all, "header")}`), " recognised", preview.savedMapping && el("span", { class: "muted" }, `, by the saved mapping ${preview.savedMapping}`)),
      el("div", { class: "scroll" }, el("table", { role: "table" },
        el("thead", {}, el("tr", {}, ["In the file", "Becomes", "First values"].map((title) => el("th", { scope: "col" }, title)))),
        el("tbody", { role: "rowgroup" }, preview.columns.map((column) => this.#column(column, preview, columns))))));
  }

  #column(column, preview, columns) {
    const id = `column-${column.index}`;
    const select = el("select", { id, "aria-label": `What ${column.header || "the header without a name"} becomes` },
      el("option", { value: "" }, "Don't import"),
      columns.map((one) => el("option", { value: one.name }, one.required ? `${one.title} (required)` : one.title)));
    select.value = column.column ?? "";
    select.addEventListener("change", () => this.#remap(column, select.value, preview));
    // A phone shows the row as a block: the roles keep it a row for those who hear the page.
    return el("tr", { class: !column.column && "left-out", role: "row" },
      el("th", { scope: "row", role: "rowheader" }, column.header || el("span", { class: "muted" }, "without a name")),
      el("td", { role: "cell" }, select, this.#suggestion(column, preview)),
      el("td", { class: "samples", role: "cell" }, column.samples.filter(Boolean).map((sample) => el("span", { title: sample }, sample))));
  }

  /** The column that a header which is not known probably means, as a button. */
  #suggestion(column, preview) {
    const { suggestion } = column;
    if (!suggestion || column.header in this.#mapping) return null;
    const words = `Use ${suggestion.title} (${Math.round(suggestion.confidence * 100)} % alike)`;
    return el("button", { type: "button", class: "button compact suggestion", onclick: () => this.#remap(column, suggestion.column, preview) }, words);
  }

  /** A column that another header was given by hand is taken from it: one header feeds a column. */
  #remap(column, name, preview) {
    for (const [header, fed] of Object.entries(this.#mapping)) {
      if (name && fed === name) this.#mapping[header] = "";
    }
    this.#mapping[column.header] = name;
    // Headers of another row or sheet may still be in it; they would be refused.
    const headers = preview.columns.map((one) => one.header);
    this.#mapping = Object.fromEntries(Object.entries(this.#mapping).filter(([header]) => headers.includes(header)));
    this.dispatchEvent(new Event("mapping"));
  }
}

/** Only the beginning of the file was looked at. */
function part({ part: isPart, fileSize, wholeSize }) {
  if (!isPart) return null;
  return el("p", { class: "note" }, `This is the beginning of the file: the first ${size(fileSize)} of ${size(wholeSize)}. The encoding, and how numbers and dates are read, are decided by the whole file when it is imported.`);
}

/** Required columns that are missing, then every other fault of the header. */
function faults(preview) {
  const missing = preview.missing.filter((column) => column.required);
  const isSaid = (fault) => missing.length > 0 && ["missing_column", "no_header"].includes(fault.code);
  const others = preview.faults.filter((fault) => !isSaid(fault));
  if (missing.length === 0 && others.length === 0) return null;
  return el("div", { class: "faults", role: "alert" },
    missing.length > 0 && el("p", { class: "note bad" },
      missing.length === 1 ? "A required column is missing: " : "Required columns are missing: ",
      el("strong", {}, missing.map((column) => column.title).join(", ")),
      ". Choose below which header holds ", missing.length === 1 ? "it." : "them."),
    others.map((fault) => el("p", { class: "note bad" }, sentence(fault.message))));
}

/** Optional columns that the file does not have. */
function absent(preview) {
  const titles = preview.missing.filter((column) => !column.required).map((column) => column.title);
  if (titles.length === 0) return null;
  return el("p", { class: "muted small absent" }, "Not in the file (existing values stay, new records have none): ", titles.join(", "), ".");
}

function firstRows(preview) {
  if (preview.rows.length === 0) return el("p", { class: "muted small" }, "The file has no rows below its header.");
  const failed = preview.rows.filter((row) => row.errors.length > 0).length;
  const title = preview.rows.length === 1 ? "First row" : `First ${number(preview.rows.length)} rows`;
  return el("section", { class: "first-rows", "aria-label": title },
    el("p", { class: "spread" }, el("strong", {}, title), preview.ready &&
      el("span", { class: failed > 0 ? "small bad-text" : "small good-text" },
        failed > 0 ? `${number(failed)} of them would fail` : "all of them can be imported")),
    el("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": title }, el("table", {},
      el("thead", {}, el("tr", {}, el("th", { scope: "col", class: "number" }, "Row"),
        preview.columns.map((column) => el("th", { scope: "col", class: !column.column && "left-out" }, column.header)))),
      el("tbody", {}, preview.rows.flatMap((row) => rowOf(row, preview.columns))))));
}

function rowOf(row, columns) {
  const wrong = new Set(row.errors.map((error) => error.column));
  const cells = row.cells.map((cell, index) => {
    const column = columns[index]?.column;
    const kind = column ? wrong.has(column) && "wrong" : "left-out";
    return el("td", { class: kind, title: cell.length > 40 && cell }, cell);
  });
  const line = el("tr", { class: row.errors.length > 0 && "failing" },
    el("td", { class: "number muted" }, number(row.rowNumber)), cells);
  if (row.errors.length === 0) return [line];
  const reasons = row.errors.map((error) => el("p", {}, sentence(error.message)));
  return [line, el("tr", { class: "reason" }, el("td", {}), el("td", { colspan: columns.length }, reasons))];
}

customElements.define("file-preview", FilePreview);

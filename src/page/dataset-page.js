// <dataset-page>: the columns of a dataset: what a file may call them, what may stand in them, and what
// they mean. Knows no file.

import { NoAnswer, Problem, dataset, linked, server } from "./api.js";
import { back, instead } from "./unknown-page.js";
import { counted, el } from "./text.js";

/** What may stand in a cell of a type. */
const TYPES = {
  text: "Text",
  integer: "A whole number, such as 1,250",
  boolean: "Yes or no, such as yes, true, 1 or x",
  date: "A day, such as 2026-11-28 or 28.11.2026",
  datetime: "A day with a time, such as 2026-11-28 14:30",
  json: "Any JSON value",
  list: "Several texts, separated by , ; or |",
};

class DatasetPage extends HTMLElement {
  #leaving;

  connectedCallback() {
    this.#leaving = new AbortController();
    this.classList.add("stack");
    this.replaceChildren(el("p", { class: "muted" }, "Loading …"));
    this.#open();
  }

  disconnectedCallback() {
    this.#leaving.abort();
    server.removeEventListener("back", this.#open);
  }

  #open = async () => {
    server.removeEventListener("back", this.#open);
    const name = this.getAttribute("name");
    try {
      this.#show(await dataset(name, this.#leaving.signal));
    } catch (fault) {
      if (fault.name === "AbortError") return;
      if (fault instanceof NoAnswer) {
        server.addEventListener("back", this.#open);
        return;
      }
      if (!(fault instanceof Problem)) throw fault;
      instead(this, fault.status === 404 ? `There is no dataset ${name}` : "The dataset cannot be shown", fault.message);
    }
  };

  #show(found) {
    const file = (link, words) => el("a", { href: linked(link), download: true }, words);
    this.replaceChildren(back(), el("section", { class: "card stack" },
      el("header", { class: "spread" }, el("h1", {}, found.title),
        el("a", { class: "button primary", href: `./?dataset=${encodeURIComponent(found.name)}` }, "Import a file")),
      el("p", {}, `${counted(found.columns.length, "column")} into the table `, el("code", {}, found.table),
        ". A record is found by ", found.key.join(" and "), ". Required columns must be in the file, others may be missing. The order does not matter."),
      el("p", { class: "small templates" }, "Template: ", file(found.links.templateCsv, "CSV"), " · ", file(found.links.templateXlsx, "XLSX"),
        " · ", el("a", { href: "docs/files" }, "What files may look like")),
      el("div", { class: "scroll dataset-columns" }, el("table", { role: "table" },
        el("thead", {}, el("tr", {}, ["Column", "What may stand in it", "Headers that are known"].map((title) => el("th", { scope: "col" }, title)))),
        el("tbody", { role: "rowgroup" }, found.columns.map((column) => row(column, found)))))));
  }
}

function row(column, { key }) {
  const badges = [key.includes(column.name) && "key", column.required && "required"].filter(Boolean);
  const headers = [column.title, ...column.aliases, ...column.fallbackAliases];
  return el("tr", { role: "row" },
    el("th", { scope: "row", role: "rowheader" }, column.title, badges.map((words) => [" ", el("span", { class: "chip" }, words)]),
      el("p", { class: "small muted mono" }, column.name)),
    el("td", { role: "cell" }, column.description && el("p", {}, column.description), facts(column).map((fact) => el("p", { class: "small" }, fact))),
    el("td", { role: "cell", class: "small" }, headers.join(" · ")));
}

function facts(column) {
  const { references, partOf, allowed, maxLength, min, max, example, history } = column;
  const together = references?.with?.length > 0 ? `, together with ${references.with.map((part) => part.column).join(" and ")}` : "";
  const kind = partOf ? `A part of the name that ${partOf} has` : references ? `A name in ${references.table}${together}${references.create ? ", made when it is missing" : ", which must be there"}` : TYPES[column.type] ?? "A number, such as 1,250.50";
  return [
    column.percent ? `${kind}, a percentage` : kind,
    maxLength && `At most ${counted(maxLength, "character")}`,
    allowed.length > 0 && `One of: ${allowed.join(", ")}`,
    min !== null && max !== null ? `From ${min} to ${max}` : min !== null ? `At least ${min}` : max !== null && `At most ${max}`,
    history && "Earlier values are kept",
    example && `Example: ${example}`,
  ].filter(Boolean);
}

customElements.define("dataset-page", DatasetPage);

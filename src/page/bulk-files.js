// <bulk-files>: the files of a bulk in their order, each with what became of it and the way to its
// job. Shows entries of a bulk; knows no address.

import { progressBar } from "./progress-bar.js";
import { badge, counted, el, isLive, number, percent, put, sentence } from "./text.js";

/** What an entry is as a job, for its badge. */
const REFUSED = "Refused";

class BulkFiles extends HTMLElement {
  #lines = [];
  #list = el("ul", { class: "bulk-files", "aria-label": "Files" });
  #only = el("input", { type: "checkbox", id: "only-problems", onchange: () => this.#filter() });
  #label = el("label", { class: "check small", hidden: true }, this.#only, "Only files with problems");

  connectedCallback() {
    if (this.firstChild) return;
    this.append(el("header", { class: "spread" }, el("h2", {}, "Files"), this.#label), this.#list);
  }

  show(entries) {
    entries.forEach((entry, index) => {
      this.#lines[index] ??= this.#add();
      this.#lines[index].show(entry);
    });
    for (const line of this.#lines.splice(entries.length)) line.box.remove();
    const problems = this.#lines.filter((line) => line.hasProblem).length;
    this.#label.hidden = problems === 0 || problems === this.#lines.length;
    if (this.#label.hidden) this.#only.checked = false;
    this.#filter();
  }

  #add() {
    const line = new FileOfBulk();
    this.#list.append(line.box);
    return line;
  }

  #filter() {
    for (const line of this.#lines) line.box.hidden = this.#only.checked && !line.hasProblem;
  }
}

/** The line of one file. */
class FileOfBulk {
  hasProblem = false;
  #shown = "";
  #name = el("p", { class: "name" });
  #facts = el("p", { class: "muted small" });
  #bar = progressBar("Rows with an outcome");
  #words = el("p", { class: "small words" });
  #badge = el("span");
  box = el("li", {},
    el("div", { class: "what" }, this.#name, this.#facts),
    el("div", { class: "how-far" }, this.#bar, this.#words),
    el("div", { class: "end" }, this.#badge));

  show(entry) {
    const shown = JSON.stringify(entry);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const { index, fileName, jobId, status, errorCount } = entry;
    this.hasProblem = errorCount > 0 || ["refused", "failed", "cancelled"].includes(status);
    this.box.dataset.index = index;
    this.#name.title = fileName;
    if (this.#name.textContent !== fileName || !this.#name.firstElementChild) {
      this.#name.replaceChildren(jobId === null ? fileName : el("a", { href: `jobs/${jobId}` }, fileName));
    }
    put(this.#facts, [`File ${number(index + 1)}`, jobId !== null && `job ${jobId}`].filter(Boolean).join(" · "));
    this.#progress(entry);
    const now = status === "refused" ? el("span", { class: "badge", "data-status": "failed" }, REFUSED) : badge({ status, counts: { failed: errorCount } });
    this.#badge.replaceWith(now);
    this.#badge = now;
  }

  #progress({ status, totalRows, processedRows, errorCount, error }) {
    const runs = ["processing", "paused"].includes(status);
    this.#bar.hidden = !runs;
    const part = totalRows ? (100 * processedRows) / totalRows : null;
    const words = rowWords({ status, totalRows, processedRows, errorCount });
    if (runs) this.#bar.set(part, words, status === "paused" ? "paused" : "");
    this.#words.classList.toggle("bad-text", status === "refused" || status === "failed");
    if (error) this.#words.replaceChildren(...sentence(error));
    else put(this.#words, part !== null && runs ? `${percent(part)} · ${words}` : words);
  }
}

function rowWords({ status, totalRows, processedRows, errorCount }) {
  if (status === "pending") return "Waiting";
  if (totalRows === null) return isLive({ status }) ? "Scanning the file …" : "Stopped before its first row";
  const failed = errorCount > 0 ? ` · ${number(errorCount)} failed` : "";
  const rows = processedRows < totalRows ? `${number(processedRows)} of ${counted(totalRows, "row")}` : counted(totalRows, "row");
  return `${rows}${failed}`;
}

customElements.define("bulk-files", BulkFiles);

// <upload-card>: from chosen files to a job or a bulk: the dataset, the drop zone, the preview, sending. Knows
// the API's calls; what a file is read as is shown by <file-preview>.

import * as api from "./api.js";
import { FileLine } from "./file-line.js";
import "./drop-zone.js";
import "./file-address.js";
import "./file-preview.js";
import "./new-references.js";
import "./upload-options.js";
import { counted, el, limitSize, put } from "./text.js";

/** Larger files are sent as they are: a preview would send all of their bytes once more. */
const PREVIEW_BYTES_MAX = 50_000_000;

/** Larger files of lines are shown by their beginning. */
const PART_FROM = 8_000_000;
const PART_BYTES = 1_000_000;
const LINES = /\.(csv|tsv|txt|tab|ndjson|jsonl)$/i;

/** Files that one request takes; more are sent one by one. */
const BULK_FILES_MAX = 1000;

/** An archive of files is imported like several files. */
const ARCHIVE = ".zip";

/** The dataset of most files: chosen until a person or the address names another one. */
const USUAL = "products";

class UploadCard extends HTMLElement {
  #lines = [];
  #limits;
  #datasets = [];
  #columns = new Map();
  #isSending = false;
  #stopSending;
  #stopLooking;
  #looksAgain = false;
  #hasLooked = false;

  #dataset = el("select", { id: "dataset" });
  #templates = el("p", { class: "small templates" });
  #drop = el("drop-zone");
  #address = el("file-address");
  #list = el("ul", { class: "files", "aria-label": "Chosen files" });
  #options = el("upload-options");
  #preview = el("file-preview", { class: "preview" });
  #newReferences = el("new-references");
  #note = el("p", { class: "note bad", role: "alert", hidden: true });
  #send = el("button", { id: "send", class: "button primary", type: "submit", "aria-describedby": "why" });
  #cancel = el("button", { class: "button", type: "button", onclick: () => this.#stop() });
  #why = el("p", { id: "why", class: "small bad-text" });
  #foot = el("div", { class: "foot" }, this.#send, this.#cancel, this.#why);

  constructor() {
    super();
    // Also while another page is shown.
    document.addEventListener("dataset-made", ({ detail }) => this.#made(detail));
  }

  connectedCallback() {
    if (!this.hasChildNodes()) this.#build();
    else this.#chooseOfAddress();
  }

  #build() {
    this.className = "card";
    this.append(el("form", { class: "stack", novalidate: true, onsubmit: (event) => this.#submit(event) },
      el("header", { class: "spread" }, el("h1", {}, "Import a file"),
        el("div", { class: "into" }, el("label", { class: "label", for: "dataset" }, "Into"), this.#dataset, this.#templates)),
      this.#drop, this.#list, this.#options, this.#note, this.#preview, this.#newReferences, this.#foot), this.#address);
    this.#address.addEventListener("from", (event) => this.#from(event.detail));
    this.#drop.addEventListener("files", (event) => this.#take(event.detail));
    this.#dataset.addEventListener("change", () => this.#datasetChanged());
    this.#options.addEventListener("options", (event) => event.detail.preview && this.#look());
    this.#preview.addEventListener("option", (event) => this.#options.point(event.detail));
    this.#preview.addEventListener("choose", ({ detail: { name, value } }) => {
      // Another sheet has its header elsewhere.
      this.#options.choose(name === "sheet" ? { sheet: value, headerRow: "" } : { [name]: value });
    });
    this.#preview.addEventListener("mapping", () => this.#look());
    api.server.addEventListener("back", () => {
      this.#load();
      if (this.#looksAgain) this.#look();
    });
    this.#load();
    this.#update();
  }

  /** What can be imported, and how large; asked again when the server comes back. */
  async #load() {
    if (this.#dataset.length > 0 && this.#limits) return;
    const [datasets, limits] = await Promise.allSettled([api.datasets(), api.limits()]);
    // A key may be one that reads nothing.
    const refusal = datasets.status === "rejected" ? datasets.reason : null;
    this.#say(refusal?.status === 403 ? refusal.message : null);
    if (limits.status === "fulfilled") this.#showLimits(limits.value);
    if (datasets.status === "fulfilled") this.#showDatasets(datasets.value);
  }

  #showLimits(limits) {
    this.#limits = limits;
    const kinds = limits.extensions.map((extension) => extension.replace(".", "").toUpperCase());
    const words = `${kinds.join(", ")}, or a ZIP of such files · up to ${limitSize(limits.maxUploadBytes)}`;
    this.#drop.take(words, [...limits.extensions, ARCHIVE]);
  }

  #showDatasets(datasets) {
    this.#datasets = datasets;
    const wanted = this.#dataset.value || new URLSearchParams(location.search).get("dataset");
    this.#dataset.replaceChildren(...datasets.map((one) => el("option", { value: one.name }, one.title)));
    const first = [wanted, USUAL].find((name) => datasets.some((one) => one.name === name));
    if (first) this.#dataset.value = first;
    this.#datasetChanged();
  }

  /** The dataset that the address of the page names. */
  #chooseOfAddress() {
    const wanted = new URLSearchParams(location.search).get("dataset");
    if (!wanted || wanted === this.#dataset.value || !this.#datasets.some((one) => one.name === wanted)) return;
    this.#dataset.value = wanted;
    this.#datasetChanged();
  }

  /** A dataset was made or replaced: it is chosen, with the file that it was made from. */
  async #made({ name, file }) {
    this.#columns.delete(name);
    const datasets = await api.datasets().catch(() => null);
    if (!datasets) return;
    this.#showDatasets(datasets);
    this.#dataset.value = name;
    this.#datasetChanged();
    if (file) this.#take([file]);
  }

  #datasetChanged() {
    const dataset = this.#datasets.find((one) => one.name === this.#dataset.value);
    if (!dataset) return;
    this.#templates.replaceChildren("Template: ",
      el("a", { href: api.linked(dataset.links.templateCsv), download: true }, "CSV"), " · ",
      el("a", { href: api.linked(dataset.links.templateXlsx), download: true }, "XLSX"), " · ",
      "What is stored: ",
      el("a", { href: api.linked(dataset.links.rowsCsv), download: true }, "CSV"), " · ",
      el("a", { href: api.linked(dataset.links.rowsXlsx), download: true }, "XLSX"), " · ",
      el("a", { href: `datasets/${encodeURIComponent(dataset.name)}` }, "Columns"), " · ",
      el("a", { href: "new-dataset" }, "New dataset"));
    this.#options.offer("mode", "newer", Boolean(dataset.versionColumn));
    this.#forget();
    this.#look();
  }

  // ── Choosing ──────────────────────────────────────────────────────────────────────────────────

  /** New files take the place of those that were sent already. */
  #take(files) {
    this.#lines = this.#lines.filter((line) => line.state !== "sent");
    for (const file of files) this.#lines.push(this.#line(file));
    this.#linesChanged();
  }

  #line(file) {
    const line = new FileLine();
    line.file = file;
    line.addEventListener("remove", () => {
      this.#lines = this.#lines.filter((one) => one !== line);
      this.#linesChanged();
      this.#drop.focus();
    });
    return line;
  }

  #linesChanged() {
    this.#list.replaceChildren(...this.#lines.map((line) => el("li", {}, line)));
    this.#forget();
    this.#look();
  }

  #forget() {
    this.#preview.clear();
    this.#newReferences.clear();
    this.#block(null);
  }

  // ── Looking ───────────────────────────────────────────────────────────────────────────────────

  /** The one file that was chosen is shown as it would be read. */
  async #look() {
    this.#stopLooking?.abort();
    this.#looksAgain = false;
    this.#hasLooked = false;
    this.#block(null);
    const [line] = this.#lines;
    const name = this.#dataset.value;
    if (this.#lines.length !== 1 || !name || line.state === "sent" || this.#isSending) return;
    line.choose();
    if (this.#isTooLarge(line)) return;
    if (isArchive(line)) {
      this.#preview.say("An archive has no preview. Each file in it becomes a job of one bulk.");
      return;
    }
    const isPart = line.file.size > PART_FROM && LINES.test(line.file.name);
    if (!isPart && line.file.size > PREVIEW_BYTES_MAX) {
      this.#preview.say("A file of this kind and size has no preview: it can only be read as a whole. You can import it without one.");
      return;
    }
    const looking = new AbortController();
    this.#stopLooking = looking;
    this.#preview.wait();
    try {
      const file = isPart ? await firstPart(line.file) : line.file;
      const wanted = isPart ? { ...this.#wanted(), part: "true" } : this.#wanted();
      const [preview, columns] = await Promise.all([
        api.preview(name, file, wanted, looking.signal), this.#columnsOf(name),
      ]);
      if (looking.signal.aborted) return;
      this.#preview.show({ ...preview, wholeSize: line.file.size }, columns);
      const find = async (column, text) => (await api.referenceNames(name, column, text)).names;
      this.#newReferences.show(preview.newReferences ?? [], { columns, isPart: true, find });
      this.#hasLooked = true;
      this.#block(preview.missing.some((column) => column.required) ? "A required column is missing." : null);
    } catch (fault) {
      if (looking.signal.aborted) return;
      this.#preview.say("");
      this.#looksAgain = fault instanceof api.NoAnswer;
      // A server without previews takes the file all the same.
      if (!this.#looksAgain && fault.status !== 404 && fault.status !== 405) line.refuse(fault.message);
    }
  }

  async #columnsOf(name) {
    if (!this.#columns.has(name)) this.#columns.set(name, (await api.dataset(name)).columns);
    return this.#columns.get(name);
  }

  /** The options as the form has them, and the mapping when headers were given columns by hand. */
  #wanted() {
    const { mapping } = this.#preview;
    const options = this.#options.values();
    return Object.keys(mapping).length > 0 ? { ...options, mapping: JSON.stringify(mapping) } : options;
  }

  #isTooLarge(line) {
    const most = this.#limits?.maxUploadBytes;
    if (!most || line.file.size <= most) return false;
    line.refuse(`The file is larger than ${limitSize(most)}, the limit of this server. Split the file.`);
    return true;
  }

  // ── Sending ───────────────────────────────────────────────────────────────────────────────────

  async #submit(event) {
    event.preventDefault();
    const waiting = this.#lines.filter((line) => line.state !== "sent");
    if (this.#isSending || waiting.length === 0 || this.#send.disabled) return;
    const fault = this.#options.fault();
    this.#say(fault);
    if (fault) return;
    this.#stopLooking?.abort();
    if (!this.#hasLooked) this.#preview.say("");
    this.#begin(waiting);
    const { replace } = this.#newReferences;
    const wanted = [this.#dataset.value, { ...this.#wanted(), ...(replace && { replace: JSON.stringify(replace) }) }];
    if (this.#fitOneRequest(waiting)) {
      await this.#sendTogether(waiting, ...wanted);
    } else {
      for (const line of waiting) {
        if (this.#stopSending.signal.aborted || api.server.isLocked) line.choose();
        else await this.#sendOne(line, ...wanted);
      }
    }
    this.#end(waiting);
  }

  /** The server downloads the file itself; the page only names it. */
  async #from({ url, onlyIfChanged }) {
    const fault = this.#options.fault();
    if (fault) return this.#address.refuse(fault);
    const options = { ...this.#options.values(), ...(onlyIfChanged && { onlyIfChanged }) };
    this.#address.busy(true);
    try {
      const key = keyOf(this.#address, this.#dataset.value, { url, ...options });
      const { jobId } = await api.sendFrom(this.#dataset.value, url, options, { key });
      this.#address.wishes = null;
      this.#address.clear();
      this.#go(`jobs/${jobId}`);
    } catch (refusal) {
      this.#address.refuse(refusal.message);
    } finally {
      this.#address.busy(false);
    }
  }

  #begin(waiting) {
    this.#isSending = true;
    this.#stopSending = new AbortController();
    for (const line of waiting) line.wait();
    window.addEventListener("beforeunload", stay);
    this.#update();
  }

  #fitOneRequest(lines) {
    const bytes = lines.reduce((sum, line) => sum + line.file.size, 0);
    return lines.length > 1 && lines.length <= BULK_FILES_MAX && bytes <= (this.#limits?.maxUploadBytes ?? Infinity);
  }

  /** Several files in one request: one bulk. */
  async #sendTogether(lines, name, options) {
    const sent = (bytes) => {
      let before = 0;
      for (const line of lines) {
        line.send(Math.min(Math.max(bytes - before, 0), line.file.size));
        before += line.file.size;
      }
    };
    sent(0);
    try {
      const wishes = { ...options, files: lines.map(({ file }) => [file.name, file.size, file.lastModified]) };
      const { bulkId, jobs } = await this.#request(lines, name, options, { key: keyOf(lines[0], name, wishes), sent });
      for (const { index, jobId, error } of jobs) {
        if (jobId === null) lines[index]?.refuse(error);
        else lines[index]?.sent(jobId);
      }
      this.#lines = this.#lines.filter((line) => !lines.includes(line));
      this.#linesChanged();
      this.#go(`bulks/${bulkId}`);
    } catch (fault) {
      for (const line of lines) this.#failed(line, fault);
      for (const { index, message } of fault.files ?? []) lines[index]?.refuse(message);
    }
  }

  async #sendOne(line, name, options) {
    if (this.#isTooLarge(line)) return;
    line.send(0);
    try {
      const made = await this.#request([line], name, options, { key: keyOf(line, name, options), sent: (bytes) => line.send(bytes) });
      line.address = made.bulkId ? `bulks/${made.bulkId}` : `jobs/${made.jobId}`;
      line.sent(made.jobId, made.bulkId);
    } catch (fault) {
      this.#failed(line, fault);
    }
  }

  #request(lines, name, options, { key, sent }) {
    const { signal } = this.#stopSending;
    return api.send(name, lines.map((line) => line.file), options, { signal, key, sent });
  }

  #failed(line, fault) {
    // Whoever has signed in sends it as it was chosen.
    if (fault.name === "AbortError" || fault instanceof api.KeyNeeded) line.choose();
    else line.refuse(fault.message);
  }

  /** A person who looks at another job by now is left there. */
  #go(detail) {
    if (this.isConnected) this.dispatchEvent(new CustomEvent("go", { bubbles: true, detail }));
  }

  #end(lines) {
    this.#isSending = false;
    window.removeEventListener("beforeunload", stay);
    const sent = lines.filter((line) => line.state === "sent");
    this.#announce(`${counted(sent.length, "file")} of ${lines.length} sent`);
    const only = this.#lines.length === 1 ? this.#lines[0] : null;
    // A preview that is there comes back with the buttons below it: they never move under a pointer.
    if (only?.state === "chosen" && !this.#hasLooked) this.#look();
    if (only?.state === "sent") {
      this.#lines = [];
      this.#linesChanged();
      this.#go(only.address);
    }
    this.#update();
  }

  #stop() {
    if (this.#isSending) {
      this.#stopSending.abort();
    } else {
      this.#lines = [];
      this.#say(null);
      this.#linesChanged();
    }
  }

  // ── Showing ───────────────────────────────────────────────────────────────────────────────────

  #block(reason) {
    this.#send.disabled = reason !== null;
    put(this.#why, reason);
    this.#update();
  }

  #update() {
    const left = this.#lines.filter((line) => line.state !== "sent").length;
    const sent = this.#lines.length - left;
    this.#drop.hidden = this.#isSending;
    this.#drop.small(this.#lines.length > 0);
    this.#address.hidden = this.#lines.length > 0;
    this.#list.hidden = this.#lines.length === 0;
    this.#options.hidden = this.#isSending;
    this.#preview.hidden = this.#isSending;
    this.#newReferences.inert = this.#isSending;
    this.#foot.hidden = this.#lines.length === 0;
    this.#dataset.disabled = this.#isSending;
    this.#send.hidden = left === 0 || this.#isSending;
    put(this.#send, left === 1 && sent === 0 ? "Start import" : `Import ${counted(left, "file")}`);
    put(this.#cancel, this.#isSending ? "Cancel upload" : left === 0 ? "Done" : "Clear");
  }

  #say(sentence) {
    this.#note.hidden = !sentence;
    put(this.#note, sentence);
  }

  #announce(detail) {
    this.dispatchEvent(new CustomEvent("announce", { bubbles: true, detail }));
  }
}

function isArchive(line) {
  return line.file.name.toLowerCase().endsWith(ARCHIVE);
}

/** The beginning of a file of lines, up to the end of one. */
async function firstPart(file) {
  const bytes = new Uint8Array(await file.slice(0, PART_BYTES).arrayBuffer());
  const last = bytes.lastIndexOf(0x0a);
  // UTF-16 with the low byte first has the other half of the line break behind it.
  const half = bytes[0] === 0xff && bytes[1] === 0xfe ? 1 : 0;
  const end = last < 0 ? bytes.length : last + 1 + half;
  return new File([bytes.subarray(0, end)], file.name, { type: file.type });
}

/** The same for a second attempt with the same wishes: an answer that was lost is found again. */
function keyOf(line, name, options) {
  const wishes = JSON.stringify([name, options]);
  if (line.wishes !== wishes) Object.assign(line, { wishes, key: api.uploadKey() });
  return line.key;
}

/** Asks before the tab is closed while bytes are sent. */
function stay(event) {
  event.preventDefault();
}

customElements.define("upload-card", UploadCard);

// <job-list>: the jobs, newest first, as they change: filtered by the address, in pages. Knows the
// API and its stream of all jobs; how one job looks is for job-row.js.

import * as api from "./api.js";
import { JobRow } from "./job-row.js";
import { Stream } from "./stream.js";
import { el, put } from "./text.js";

const PAGE = 50;
/** More rows than this are too many for a page that lives for days: it begins anew. */
const ROWS_MAX = 1000;
/** Without events the jobs are asked for this often, and the events looked for again. */
const POLL = 2000;
const RETRY_EVENTS = 30_000;
const TELL_AGES = 10_000;

const STATES = [["", "All"], ["pending", "Waiting"], ["processing", "Running"], ["paused", "Paused"], ["completed", "Done"], ["failed", "Failed"], ["cancelled", "Cancelled"]];
/** Jobs that failed or of which rows failed. */
const WITH_ERRORS = "true";

class JobList extends HTMLElement {
  #rows = new Map();
  #filter = { status: "", dataset: "", withErrors: "" };
  #cursor = null;
  #isPolling = false;
  #stream;
  #asking;
  #timers = new Set();
  #polling;
  #retrying;
  #datasets = [];
  /** How the jobs are followed, whether the server answers at the moment or not. */
  #connection = ["broken", "Connecting …"];

  #live = el("p", { class: "live small muted" });
  #states = el("ul", { class: "chips" });
  #dataset = el("select", { "aria-label": "Dataset", onchange: () => this.#choose({ dataset: this.#dataset.value }) });
  #list = el("div", { class: "jobs", role: "list" });
  #empty = el("div", { class: "empty", hidden: true });
  #note = el("p", { class: "note bad", role: "alert", hidden: true });
  #older = el("button", { class: "button", type: "button", hidden: true, onclick: () => this.#more() }, "Older jobs");

  connectedCallback() {
    if (!this.hasChildNodes()) this.#build();
    window.addEventListener("address", this.#addressChanged);
    api.server.addEventListener("gone", this.#gone);
    api.server.addEventListener("back", this.#back);
    this.#readAddress();
    this.#loadDatasets();
    this.#listen();
    this.#refresh();
    this.#every(TELL_AGES, () => this.#rows.forEach((row) => row.age()));
  }

  disconnectedCallback() {
    window.removeEventListener("address", this.#addressChanged);
    api.server.removeEventListener("gone", this.#gone);
    api.server.removeEventListener("back", this.#back);
    this.#stream?.close();
    this.#asking?.abort();
    this.#timers.forEach(clearInterval);
    this.#timers.clear();
  }

  #build() {
    this.className = "card";
    this.append(
      el("header", { class: "spread" }, el("h2", { id: "jobs-title" }, "Jobs"), this.#live),
      el("nav", { class: "filters spread", "aria-label": "Which jobs are shown" }, this.#states, this.#dataset),
      this.#note, this.#list, this.#empty, this.#older);
    this.#list.setAttribute("aria-labelledby", "jobs-title");
    document.addEventListener("deleted", (event) => this.#deleted(event.detail));
  }

  // ── Which jobs: the address ───────────────────────────────────────────────────────────────────

  #readAddress() {
    const asked = new URLSearchParams(location.search);
    const known = STATES.some(([status]) => status === asked.get("status"));
    const withErrors = asked.get("withErrors") === WITH_ERRORS ? WITH_ERRORS : "";
    this.#filter = { status: known ? asked.get("status") : "", dataset: asked.get("dataset") ?? "", withErrors };
    const chips = STATES.map(([status, word]) => this.#chip(word, { status, withErrors: status && withErrors }, status ? status === this.#filter.status : !this.#filter.status && !withErrors));
    chips.push(this.#chip("With errors", { withErrors: withErrors ? "" : WITH_ERRORS }, withErrors !== ""));
    this.#states.replaceChildren(...chips);
    this.#showDatasets();
  }

  #chip(word, change, isChosen) {
    const href = api.address("./", { ...this.#filter, ...change });
    return el("li", {}, el("a", { class: "chip", href, "aria-current": isChosen && "true" }, word));
  }

  #addressChanged = () => {
    const before = api.address("./", this.#filter);
    this.#readAddress();
    if (api.address("./", this.#filter) !== before) this.#refresh();
  };

  #choose(change) {
    const detail = api.address("./", { ...this.#filter, ...change });
    this.dispatchEvent(new CustomEvent("go", { bubbles: true, detail }));
  }

  async #loadDatasets() {
    if (this.#datasets.length > 0) return;
    this.#datasets = await api.datasets().catch(() => []);
    this.#showDatasets();
    this.#rows.forEach((row) => row.name(this.#titleOf(row.job)));
  }

  #showDatasets() {
    const { dataset } = this.#filter;
    this.#dataset.hidden = this.#datasets.length < 2 && !dataset;
    const names = this.#datasets.map((one) => [one.name, one.title]);
    if (dataset && !names.some(([name]) => name === dataset)) names.push([dataset, dataset]);
    this.#dataset.replaceChildren(...[["", "All datasets"], ...names].map(([value, title]) => el("option", { value }, title)));
    this.#dataset.value = dataset;
  }

  #titleOf(job) {
    return this.#datasets.find((one) => one.name === job.dataset)?.title ?? job.dataset;
  }

  #isWanted(job) {
    const { status, dataset, withErrors } = this.#filter;
    const hasErrors = job.status === "failed" || job.counts.failed > 0;
    return (!status || job.status === status) && (!dataset || job.dataset === dataset) && (!withErrors || hasErrors);
  }

  // ── Asking ────────────────────────────────────────────────────────────────────────────────────

  /** The first page, in place of what is shown. */
  async #refresh() {
    this.#asking?.abort();
    const asking = new AbortController();
    this.#asking = asking;
    const before = new Set(this.#rows.keys());
    try {
      const { jobs, nextCursor } = await api.jobs({ ...this.#filter, limit: PAGE }, asking.signal);
      const listed = new Set(jobs.map((job) => job.jobId));
      // Rows that came by event while this was asked for are newer than the answer.
      for (const [id, row] of this.#rows) {
        if (!listed.has(id) && (before.has(id) || !this.#isWanted(row.job))) this.#drop(id);
      }
      this.#cursor = nextCursor;
      jobs.forEach((job) => this.#put(job));
      this.#say(null);
      this.#settle();
    } catch (fault) {
      this.#failed(fault);
    }
  }

  async #more() {
    if (!this.#cursor) return;
    this.#older.disabled = true;
    try {
      const { jobs, nextCursor } = await api.jobs({ ...this.#filter, limit: PAGE, cursor: this.#cursor });
      this.#cursor = nextCursor;
      jobs.forEach((job) => this.#put(job));
      this.#settle();
    } catch (fault) {
      this.#failed(fault);
    } finally {
      this.#older.disabled = false;
    }
  }

  /** In place of the events: the newest jobs of all, whatever the filter shows of them. */
  async #poll() {
    if (this.#isPolling) return;
    this.#isPolling = true;
    const jobs = await api.jobs({ limit: PAGE }).then((page) => page.jobs, () => []);
    this.#isPolling = false;
    if (this.isConnected) this.#news(jobs);
  }

  #failed(fault) {
    if (fault.name === "AbortError" || fault instanceof api.NoAnswer) return;
    this.#say(fault.message);
    this.#settle();
  }

  // ── Listening ─────────────────────────────────────────────────────────────────────────────────

  #listen() {
    this.#stream = new Stream("api/v1/import/events", {
      open: () => {
        this.#stopTimer(this.#polling);
        this.#stopTimer(this.#retrying);
        this.#liveIs("live", "Live");
        // What happened before the connection, such as a deletion, is in no event.
        this.#refresh();
      },
      broken: () => this.#liveIs("broken", "Connecting …"),
      refused: () => this.#withoutEvents(),
      message: (event) => {
        if (event.type === "snapshot") this.#news(event.jobs);
        if (event.type === "job") this.#news([event.job]);
        if (event.type === "deleted") this.#deleted(event.jobId);
      },
    });
  }

  #withoutEvents() {
    this.#liveIs("polling", `Refreshed every ${POLL / 1000} s`);
    this.#stopTimer(this.#polling);
    this.#polling = this.#every(POLL, () => this.#poll());
    this.#stopTimer(this.#retrying);
    this.#retrying = this.#every(RETRY_EVENTS, () => {
      this.#stopTimer(this.#retrying);
      this.#listen();
    });
  }

  #gone = () => this.#show("broken", "No answer");

  #back = () => {
    this.#show(...this.#connection);
    this.#loadDatasets();
    this.#refresh();
  };

  #liveIs(state, words) {
    this.#connection = [state, words];
    this.#show(state, words);
  }

  #show(state, words) {
    this.#live.dataset.state = state;
    put(this.#live, words);
  }

  #every(pause, work) {
    const timer = setInterval(work, pause);
    this.#timers.add(timer);
    return timer;
  }

  #stopTimer(timer) {
    clearInterval(timer);
    this.#timers.delete(timer);
  }

  // ── Showing ───────────────────────────────────────────────────────────────────────────────────

  /** Jobs as they are now. Those that are older than the pages shown wait for "Older jobs". */
  #news(jobs) {
    const oldest = this.#cursor ? Math.min(...this.#rows.keys()) : 0;
    for (const job of jobs) {
      if (!this.#isWanted(job)) this.#drop(job.jobId);
      else if (this.#rows.has(job.jobId) || job.jobId > oldest) this.#put(job);
    }
    if (this.#rows.size > ROWS_MAX) this.#refresh();
    else this.#settle();
  }

  #put(job) {
    const known = this.#rows.get(job.jobId);
    if (known) {
      known.update(job);
      return;
    }
    const row = new JobRow();
    row.update(job, this.#titleOf(job));
    this.#rows.set(job.jobId, row);
    const next = Array.from(this.#list.children).find((other) => other.job.jobId < job.jobId);
    this.#list.insertBefore(row, next ?? null);
  }

  #drop(id) {
    this.#rows.get(id)?.remove();
    this.#rows.delete(id);
  }

  #deleted(id) {
    this.#drop(id);
    if (this.isConnected) this.#settle();
  }

  /** Everything around the rows. */
  #settle() {
    this.#older.hidden = !this.#cursor;
    this.#list.hidden = this.#rows.size === 0;
    const isEmpty = this.#rows.size === 0 && this.#note.hidden;
    if (isEmpty && this.#empty.hidden) this.#empty.replaceChildren(...this.#nothing());
    this.#empty.hidden = !isEmpty;
    const running = Array.from(this.#rows.values(), (row) => row.job).filter((job) => job.status === "processing");
    this.dispatchEvent(new CustomEvent("watched", { bubbles: true, detail: running.at(-1) ?? null }));
  }

  #nothing() {
    if (this.#filter.status || this.#filter.dataset || this.#filter.withErrors) {
      return [el("p", {}, "No jobs match. ", el("a", { href: "./" }, "Show all jobs"))];
    }
    const dataset = this.#datasets[0]?.name ?? "products";
    const line = `curl -F file=@${dataset}.csv ${new URL(`api/v1/import/${dataset}`, document.baseURI)}`;
    const copied = el("button", { class: "button compact", type: "button", onclick: async () => {
      await navigator.clipboard.writeText(line);
      put(copied, "Copied");
    } }, "Copy");
    return [
      el("p", {}, el("strong", {}, "No jobs yet.")),
      el("p", { class: "muted" }, "Drop a file above, or send one from the command line:"),
      el("div", { class: "command" }, el("pre", { tabindex: 0 }, el("code", {}, line)), navigator.clipboard && copied),
    ];
  }

  #say(sentence) {
    this.#note.hidden = !sentence;
    put(this.#note, sentence);
  }
}

customElements.define("job-list", JobList);

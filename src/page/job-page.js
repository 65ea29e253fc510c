// <job-page job="123">: everything about one job. Owns its stream and its state, and hands them to
// the elements that show the parts. The stream replays all events, so a reloaded page shows the same.

import { NoAnswer, Problem, children as childrenOf, eventsPath, job as statusOf, limits, server } from "./api.js";
import { origin } from "./job-kind.js";
import { Stream } from "./stream.js";
import { JobState } from "./job-state.js";
import { ago, badge, el, isLive, put, statusWord, timeTag } from "./text.js";
import { back, instead } from "./unknown-page.js";
import "./job-actions.js";
import "./job-counts.js";
import "./job-facts.js";
import "./job-new-references.js";
import "./job-log.js";
import "./job-progress.js";
import "./job-results.js";
import "./job-warnings.js";
import "./created-references.js";
import "./error-groups.js";
import "./row-corrector.js";
import "./row-differences.js";
import "./superseded-rows.js";

/** Above this a stream leaves the rows out unless somebody asks for them. */
const ROWS_BY_THEMSELVES = 10_000;
/** A file with more bytes than this will have that many rows. */
const BYTES_BY_THEMSELVES = 1_000_000;
/** A running job's counts are asked for at most this often. */
const ASK_MILLIS = 250;
/** A page in the background still keeps its title up to date. */
const HIDDEN_MILLIS = 1000;

/** Lines that only come when every row is told. */
const ROW_KINDS = ["created", "updated", "unchanged"];

class JobPage extends HTMLElement {
  #id;
  #state = new JobState();
  #stream = null;
  #leaving = null;
  #ticking = null;
  #asking = null;
  #asked = 0;
  #isStale = false;
  #isPainting = false;
  #hasRows = false;
  #announced = true;

  #name = el("h1", {});
  #status = el("span", {});
  #about = el("p", { class: "about muted small" });
  #actions = el("job-actions", { id: "actions", onacted: (event) => this.#acted(event.detail) });
  #results = el("job-results", {});
  #progress = el("job-progress", {});
  #counts = el("job-counts", {});
  #log = el("job-log", { class: "card" });
  #warnings = el("job-warnings", { class: "card" });
  #errors = el("error-groups", { class: "card", id: "errors" });
  #corrector = el("row-corrector", { class: "card", hidden: true });
  #differences = el("row-differences", { class: "card" });
  #superseded = el("superseded-rows", { class: "card" });
  #references = el("created-references", { class: "card" });
  #facts = el("job-facts", { class: "card" });
  #newReferences = el("job-new-references", { class: "card", onfound: () => this.#paintSoon() });
  #every = el("input", { type: "checkbox", role: "switch", id: "every-row", onchange: () => this.#listen() });
  #everyLabel = el("label", { class: "check small", hidden: true }, this.#every, "Every row");
  #rowsNote = el("span", { class: "small muted" });

  connectedCallback() {
    this.#id = this.getAttribute("job");
    this.#leaving = new AbortController();
    this.classList.add("stack");
    this.replaceChildren(el("p", { class: "muted" }, "Loading …"));
    this.#open();
  }

  disconnectedCallback() {
    this.#leaving.abort();
    this.#stream?.close();
    clearInterval(this.#ticking);
    clearTimeout(this.#asking);
    server.removeEventListener("back", this.#open);
    this.#askNoMore();
  }

  #askNoMore() {
    server.removeEventListener("back", this.#askForChildren);
    document.removeEventListener("visibilitychange", this.#askForChildren);
  }

  #open = async () => {
    server.removeEventListener("back", this.#open);
    try {
      const job = await statusOf(this.#id, this.#leaving.signal);
      this.#state.take(job);
      this.#announced = this.#state.isOver;
      this.#build();
      this.#listen();
      this.#learnLimits();
      this.#askForChildren();
      server.addEventListener("back", this.#askForChildren);
      document.addEventListener("visibilitychange", this.#askForChildren);
      this.#ticking = setInterval(() => this.#tick(), 1000);
    } catch (fault) {
      this.#cannotOpen(fault);
    }
  };

  #cannotOpen(fault) {
    if (fault.name === "AbortError") return;
    if (fault instanceof NoAnswer) {
      server.addEventListener("back", this.#open);
      return;
    }
    if (!(fault instanceof Problem)) throw fault;
    const isUnknown = fault.status === 404;
    const words = isUnknown ? "The number may be mistyped, the job may have been deleted, or it belongs to another server or database." : fault.message;
    const again = isUnknown ? null : el("button", { class: "button", type: "button", onclick: this.#open }, "Try again");
    instead(this, isUnknown ? `There is no job ${this.#id}` : "The job cannot be shown", words, again);
  }

  /** It was there and is no longer. */
  #wasDeleted() {
    this.#stream?.close();
    clearInterval(this.#ticking);
    this.#askNoMore();
    document.dispatchEvent(new CustomEvent("deleted", { detail: Number(this.#id) }));
    const title = `Job ${this.#id} was deleted`;
    this.#say("announce", title);
    this.#say("watched", null);
    instead(this, title, "It was deleted with its log and its files. The rows that it wrote stay in the table.");
  }

  #build() {
    this.replaceChildren(
      back(),
      el("header", { class: "head" }, el("div", { class: "title" }, el("div", { class: "row" }, this.#name, this.#status), this.#about), this.#actions),
      this.#results,
      el("section", { class: "card stack", "aria-label": "Progress" }, this.#progress, this.#counts),
      el("div", { class: "panes" },
        el("div", { class: "stack side" }, this.#newReferences, this.#differences, this.#errors, this.#corrector, this.#warnings, this.#log),
        el("div", { class: "stack side" }, this.#superseded, this.#references, this.#facts)),
    );
    this.#log.extra.replaceChildren(this.#rowsNote, this.#everyLabel);
    this.#actions.replacing = () => this.#newReferences.replace;
  }

  /** Hears everything from the beginning; with the rows when the switch is on. */
  #listen() {
    this.#stream?.close();
    this.#state = this.#state.afresh();
    this.#hasRows = false;
    this.#log.clear();
    this.#stream = new Stream(
      eventsPath(this.#id),
      { message: (event, id) => this.#hear(event, id), refused: () => this.#ask() },
      this.#every.checked ? { rows: "all" } : {},
    );
    this.#paintSoon();
  }

  #hear(event, id) {
    const line = this.#state.apply(event, id);
    if (line) {
      this.#hasRows ||= ROW_KINDS.includes(line.kind);
      this.#log.push(line, this.#state.isNews(line));
    }
    if (event.type === "complete") {
      // Nothing comes after it; a browser would connect again.
      this.#stream.close();
    }
    if (!event.row_number && isLive(this.#state.job)) this.#ask();
    this.#paintSoon();
  }

  /** Asks for the job: events say how far it is, only the job has all of its counts. */
  #ask() {
    this.#isStale = true;
    const pause = Math.max(0, this.#asked + ASK_MILLIS - Date.now());
    this.#asking ??= setTimeout(() => this.#askNow(), pause);
  }

  async #askNow() {
    this.#asked = Date.now();
    this.#isStale = false;
    try {
      this.#state.take(await statusOf(this.#id, this.#leaving.signal));
      this.#paintSoon();
    } catch (fault) {
      if (fault.name === "AbortError") return;
      if (fault.status === 404) {
        this.#wasDeleted();
        return;
      }
      // The stream comes back with a snapshot, which says the same; after the end none comes.
      if (fault instanceof NoAnswer) server.addEventListener("back", () => this.#ask(), { once: true });
      this.#isStale = false;
    }
    this.#asking = null;
    // The end is told once the job is at its end; who keeps a copy of it may be a moment behind.
    const isBehind = this.#state.end && isLive(this.#state.job) && !server.gone && !server.isLocked;
    if (this.#isStale || isBehind) this.#ask();
  }

  /** When a job that stands still may be taken from its server; without an answer it never is. */
  async #learnLimits() {
    const { stuckAfterSeconds = null } = await limits(this.#leaving.signal).catch(() => /** @type {any} */ ({}));
    this.#state.stuckAfter = stuckAfterSeconds;
  }

  /** Asks what came of a job that is over, whenever somebody may see it anew. */
  #askForChildren = async () => {
    const { job, isOver } = this.#state;
    if (document.hidden || !isOver || !job?.links?.children) return;
    try {
      const children = await childrenOf(job, this.#leaving.signal);
      // The state may have been made anew meanwhile.
      this.#state.children = children;
      this.#paintSoon();
    } catch (fault) {
      // It is asked for again when the server is back; a job that is gone says so by itself.
      if (!(fault instanceof Problem || fault instanceof NoAnswer || fault.name === "AbortError")) throw fault;
    }
  };

  #acted(job) {
    if (job) this.#state.take(job);
    else this.#ask();
    this.#askForChildren();
    this.#paintSoon();
  }

  #tick() {
    const time = this.#about.querySelector("time");
    if (time) put(time, ago(time.dateTime, this.#state.now));
    if (this.#state.isOver) return;
    // No event says how many rows are staged.
    if (this.#state.job.options?.atomic && this.#state.status === "processing" && !document.hidden) this.#ask();
    this.#progress.tick(this.#state);
    // Time alone may make it one that can be taken from its server.
    this.#actions.show(this.#state);
  }

  #paintSoon() {
    if (this.#isPainting) return;
    this.#isPainting = true;
    const paint = () => {
      this.#isPainting = false;
      if (this.isConnected && this.#state.job) this.#paint();
    };
    if (document.hidden) setTimeout(paint, HIDDEN_MILLIS);
    else requestAnimationFrame(paint);
  }

  #paint() {
    const state = this.#state;
    const job = { ...state.job, status: state.status, counts: state.counts };
    this.#head(job);
    for (const part of this.#parts()) part.show(state);
    this.#rows(state);
    this.#tellTheTab(state, job);
    if (state.isOver && !this.#announced) {
      this.#announced = true;
      this.#askForChildren();
      this.#say("announce", state.end?.message ?? `${job.fileName}: ${statusWord(job)}`);
    }
  }

  #parts() {
    const aside = [this.#newReferences, this.#differences, this.#errors, this.#corrector, this.#warnings, this.#superseded, this.#references, this.#facts];
    return [this.#actions, this.#results, this.#progress, this.#counts, ...aside];
  }

  #head(job) {
    put(this.#name, job.fileName);
    const shown = badge(job);
    shown.id = "status";
    if (!shown.isEqualNode(this.#status)) {
      this.#status.replaceWith(shown);
      this.#status = shown;
    }
    if (this.#about.firstChild) return;
    const dryRun = job.options?.dryRun ? [" · ", el("b", {}, "dry run, nothing is stored")] : [];
    this.#about.append(`Job ${job.jobId} · into `, el("b", {}, job.dataset), " · ", timeTag(job.createdAt), ...dryRun, ...cameFrom(job));
  }

  #rows({ job, total, isOver, end }) {
    const isLarge = total === null ? job.fileSize > BYTES_BY_THEMSELVES : total > ROWS_BY_THEMSELVES;
    this.#everyLabel.hidden = !isLarge && !this.#every.checked;
    const isMissing = this.#every.checked && !this.#hasRows;
    const words = isOver ? "The rows of this job were not recorded." : "Rows appear with the next chunk.";
    put(this.#rowsNote, isMissing && (end || !isOver) ? words : "");
  }

  #tellTheTab({ current, total }, job) {
    const percentage = isLive(job) && total > 0 ? Math.floor((current / total) * 100) : (job.progress?.percentage ?? 0);
    this.#say("watched", { ...job, progress: { ...job.progress, percentage: Math.min(percentage, 99) } });
  }

  #say(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true }));
  }
}

/** The bulk that it belongs to and the job whose rows it takes, with the ways to them. */
function cameFrom(job) {
  const bulk = job.bulkId ? [" · ", el("a", { class: "bulk", href: `bulks/${job.bulkId}` }, "its bulk")] : [];
  const from = origin(job);
  return from ? [...bulk, " · ", el("span", { class: "origin" }, from.before, el("a", { href: `jobs/${from.id}` }, `job ${from.id}`), from.after)] : bulk;
}

customElements.define("job-page", JobPage);

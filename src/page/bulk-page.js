// <bulk-page bulk="0b7c…">: files that were uploaded together, as one thing. Owns the bulk's one
// stream: it says when something changed and how far the running files are; the files themselves are
// asked for.

import { NoAnswer, Problem, bulk as statusOf, bulkEventsPath, server } from "./api.js";
import { progressBar } from "./progress-bar.js";
import { Stream } from "./stream.js";
import { counted, duration, el, number, percent, put, rate, timeTag } from "./text.js";
import { back, instead } from "./unknown-page.js";
import "./bulk-actions.js";
import "./bulk-files.js";
import "./job-counts.js";

/** The files are asked for at most this often. */
const ASK_MILLIS = 500;

const LIVE = ["pending", "processing", "paused"];
const WORDS = {
  pending: "Waiting", processing: "Running", paused: "Paused", completed: "Done",
  partial_success: "Partly imported", failed: "Failed", cancelled: "Cancelled",
};
const TONES = { completed: "good", partial_success: "warn", failed: "bad", cancelled: "quiet", paused: "paused" };

class BulkPage extends HTMLElement {
  #id;
  #bulk;
  #stream = null;
  #leaving;
  #asking = null;
  #asked = 0;
  #isPainting = false;
  #announced = true;

  #name = el("h1", {});
  #status = el("span", { class: "badge", id: "status" });
  #about = el("p", { class: "about muted small" });
  #actions = el("bulk-actions", { id: "actions", onacted: (event) => this.#acted(event.detail) });
  #filesBar = bar("Files imported", "");
  #rowsBar = bar("Rows written", "tall");
  #pace = el("p", { class: "step" });
  #left = el("p", { class: "note warn", id: "not-imported", hidden: true });
  #counts = el("job-counts", {});
  #files = el("bulk-files", { class: "card" });

  connectedCallback() {
    this.#id = this.getAttribute("bulk");
    this.#leaving = new AbortController();
    this.classList.add("stack");
    this.replaceChildren(el("p", { class: "muted" }, "Loading …"));
    this.#open();
  }

  disconnectedCallback() {
    this.#leaving.abort();
    this.#stream?.close();
    clearTimeout(this.#asking);
    server.removeEventListener("back", this.#open);
  }

  #open = async () => {
    server.removeEventListener("back", this.#open);
    try {
      this.#bulk = await statusOf(this.#id, this.#leaving.signal);
      this.#announced = !this.#isLive();
      this.#build();
      this.#paintSoon();
      if (this.#isLive()) this.#listen();
    } catch (fault) {
      if (fault.name === "AbortError") return;
      if (fault instanceof NoAnswer) {
        server.addEventListener("back", this.#open);
        return;
      }
      if (!(fault instanceof Problem)) throw fault;
      const isUnknown = fault.status === 404;
      const words = isUnknown ? "The address may be mistyped, its jobs may have been deleted, or it belongs to another server or database." : fault.message;
      const again = isUnknown ? null : el("button", { class: "button", type: "button", onclick: this.#open }, "Try again");
      instead(this, isUnknown ? "There is no such bulk" : "The bulk cannot be shown", words, again);
    }
  };

  #isLive() {
    return LIVE.includes(this.#bulk.status);
  }

  #build() {
    this.replaceChildren(
      back(),
      el("header", { class: "head" }, el("div", { class: "title" }, el("div", { class: "row" }, this.#name, this.#status), this.#about), this.#actions),
      el("section", { class: "card stack", "aria-label": "Progress" },
        el("div", { class: "bars" }, this.#filesBar.box, this.#rowsBar.box, this.#pace, this.#left), this.#counts),
      this.#files,
    );
  }

  #listen() {
    this.#stream = new Stream(bulkEventsPath(this.#id), {
      message: (event) => this.#hear(event),
      refused: () => this.#ask(),
    });
  }

  #hear(event) {
    if (event.type === "snapshot") {
      this.#bulk = event.bulk;
    } else if (event.type === "bulk") {
      // It has no files: those stay until they are asked for.
      this.#bulk = { ...event.bulk, jobs: this.#bulk.jobs };
      this.#ask();
    } else if (event.type === "progress" && event.job_id) {
      this.#moveOn(event);
    }
    if (!this.#isLive()) {
      // Nothing comes after its end; a browser would connect again.
      this.#stream.close();
      this.#ask();
    }
    this.#paintSoon();
  }

  /** How far a running file is. */
  #moveOn({ job_id: jobId, current, total }) {
    const entry = this.#bulk.jobs.find((one) => one.jobId === jobId);
    if (!entry || !(current >= entry.processedRows)) return;
    entry.processedRows = current;
    entry.totalRows = total ?? entry.totalRows;
  }

  #ask() {
    const pause = Math.max(0, this.#asked + ASK_MILLIS - Date.now());
    this.#asking ??= setTimeout(() => this.#askNow(), pause);
  }

  async #askNow() {
    this.#asked = Date.now();
    try {
      this.#bulk = await statusOf(this.#id, this.#leaving.signal);
      this.#paintSoon();
    } catch (fault) {
      if (fault.name === "AbortError") return;
      // The stream comes back with a snapshot, which says the same; after the end none comes.
      if (fault instanceof NoAnswer) server.addEventListener("back", () => this.#ask(), { once: true });
    }
    this.#asking = null;
  }

  #acted(bulk) {
    if (bulk) this.#bulk = bulk;
    else this.#ask();
    this.#paintSoon();
  }

  #paintSoon() {
    if (this.#isPainting) return;
    this.#isPainting = true;
    const paint = () => {
      this.#isPainting = false;
      if (this.isConnected && this.#bulk) this.#paint();
    };
    if (document.hidden) setTimeout(paint, ASK_MILLIS);
    else requestAnimationFrame(paint);
  }

  #paint() {
    const bulk = this.#bulk;
    this.#head(bulk);
    this.#actions.show(bulk);
    this.#progress(bulk);
    const { counts, progress } = bulk;
    this.#counts.show({ job: bulk, counts, total: progress.total, status: bulk.status });
    this.#files.show(bulk.jobs);
    const title = counted(bulk.files.total, "file");
    this.#say("watched", { ...bulk, status: tabStatus(bulk), word: this.#isLive() ? undefined : word(bulk), fileName: title });
    if (!this.#isLive() && !this.#announced) {
      this.#announced = true;
      this.#say("announce", `${title}: ${word(bulk)}`);
    }
  }

  #head(bulk) {
    put(this.#name, counted(bulk.files.total, "file"));
    put(this.#status, word(bulk));
    this.#status.dataset.status = tabStatus(bulk);
    this.#status.toggleAttribute("data-errors", hasErrors(bulk));
    if (this.#about.firstChild) return;
    const from = bulk.createdBy ? ` · from ${bulk.createdBy}` : "";
    const retried = bulk.retryOf ? [" · retry of ", el("a", { href: `bulks/${bulk.retryOf}` }, "another bulk")] : [];
    this.#about.append("One bulk · into ", el("b", {}, bulk.dataset), " · ", timeTag(bulk.createdAt), from, ...retried);
  }

  #progress({ files, progress, status, rowsPerSecond, etaSeconds, results, queuePosition }) {
    const ended = files.done + files.failed + files.cancelled + files.refused;
    const tone = TONES[status];
    this.#filesBar.set((100 * ended) / files.total, fileWords(files), tone);
    const rows = progress.total === null ? number(progress.current) : `${number(progress.current)} of ${counted(progress.total, "row")}`;
    this.#rowsBar.set(progress.percentage, `${rows} · ${percent(progress.percentage)}`, tone);
    const left = etaSeconds === null ? "" : ` · about ${duration(etaSeconds)} left`;
    const pace = rowsPerSecond === null ? "" : results ? `${rate(rowsPerSecond)} on average` : `${rate(rowsPerSecond)}${left}`;
    put(this.#pace, status === "pending" && queuePosition ? `Waiting in the queue, place ${number(queuePosition)}.` : pace);
    const lost = files.failed + files.cancelled + files.refused;
    this.#left.hidden = lost === 0;
    put(this.#left, `${counted(lost, "file")} not imported. The reason stands beside each of them.`);
  }

  #say(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true }));
  }
}

function hasErrors({ status, counts }) {
  return status === "partial_success" || (status === "completed" && counts.failed > 0);
}

function word(bulk) {
  return bulk.status === "completed" && hasErrors(bulk) ? "Done, with errors" : WORDS[bulk.status] ?? bulk.status;
}

/** The status of a job that looks the same. */
function tabStatus({ status }) {
  return status === "partial_success" ? "completed" : status;
}

/** "3 of 12 done · 1 running · 7 waiting · 1 refused". */
function fileWords(files) {
  const others = ["running", "paused", "waiting", "failed", "cancelled", "refused"].filter((name) => files[name] > 0);
  return [`${number(files.done)} of ${number(files.total)} done`, ...others.map((name) => `${number(files[name])} ${name}`)].join(" · ");
}

function bar(label, look) {
  const value = el("span", { class: "value" });
  const made = progressBar(label, { class: look });
  const set = (part, words, tone) => {
    put(value, words);
    made.set(part, words, tone);
  };
  return { set, box: el("div", { class: "bar" }, el("p", { class: "spread" }, el("span", {}, label), value), made) };
}

customElements.define("bulk-page", BulkPage);

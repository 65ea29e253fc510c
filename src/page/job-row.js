// <job-row>: a job in the list: its name, how far it is or how it ended, and when. Knows no API.

import { isMirror, isRollback, origin, outcomes, outcomesAndRest, lack } from "./job-kind.js";
import { progressBar } from "./progress-bar.js";
import { badge, counted, duration, el, isLive, number, percent, put, rate, sentence, size, timeTag } from "./text.js";

export class JobRow extends HTMLElement {
  /** The job as it was shown last. */
  job;
  #badge = el("span");
  #link = el("a", { class: "name" });
  #facts = el("p", { class: "muted small" });
  #bar = progressBar("Rows with an outcome");
  #outcome = el("div", { class: "outcome", "aria-hidden": "true" });
  #words = el("p", { class: "small words" });
  #when = el("p", { class: "muted small when" });
  #title;
  #said;

  connectedCallback() {
    if (this.hasChildNodes()) return;
    this.setAttribute("role", "listitem");
    this.append(
      el("div", { class: "what" }, this.#link, this.#facts),
      el("div", { class: "how-far" }, this.#bar, this.#outcome, this.#words),
      el("div", { class: "end" }, this.#badge, this.#when));
  }

  /** A job never goes back: an answer that was under way while an event came is left out. */
  update(job, title) {
    if (this.job && isOlder(job, this.job)) return;
    this.job = job;
    this.dataset.job = job.jobId;
    this.#link.href = `jobs/${job.jobId}`;
    this.#link.title = job.fileName;
    put(this.#link, job.fileName);
    this.name(title ?? this.#title);
    const now = badge(job);
    this.#badge.replaceWith(now);
    this.#badge = now;
    this.#showProgress(job);
    this.age();
  }

  /** What the job's dataset is called. */
  name(title) {
    this.#title = title;
    const { jobId, fileSize, dryRun, createdBy } = this.job;
    const from = origin(this.job);
    const words = from && `${from.before}job ${from.id}${from.after}`.toLowerCase();
    const facts = [title, `job ${jobId}`, !isRollback(this.job) && size(fileSize), dryRun && "dry run", createdBy && `from ${createdBy}`, words];
    put(this.#facts, facts.filter(Boolean).join(" · "));
  }

  /** How long ago, again. */
  age() {
    const { createdAt, completedAt, runSeconds } = this.job;
    const took = completedAt && runSeconds !== null && ` · took ${duration(runSeconds)}`;
    this.#when.replaceChildren(timeTag(completedAt ?? createdAt), took ? el("span", { class: "took" }, took) : "");
  }

  #showProgress(job) {
    const live = isLive(job);
    const words = live ? underWay(job) : ended(job);
    this.#bar.hidden = !live || job.status === "pending";
    this.#bar.set(job.progress.total === null ? null : job.progress.percentage, words, job.status === "paused" ? "paused" : "");
    this.#outcome.hidden = live || job.progress.current === 0;
    if (!live) this.#outcome.replaceChildren(...parts(job));
    if (this.#said !== words) this.#words.replaceChildren(...sentence(words));
    this.#said = words;
    this.#words.classList.toggle("bad-text", job.status === "failed");
    this.#words.title = job.error ?? "";
  }
}

/** The rows by outcome, as parts of a bar; what was not reached is left free. */
function parts(job) {
  const counts = { ...job.counts, unprocessed: job.results?.unprocessed ?? 0 };
  const shares = outcomesAndRest(job).map(([outcome, , , , look = outcome]) => [look, counts[outcome]]);
  return shares.filter(([, rows]) => rows > 0).map(([look, rows]) => el("i", { class: look, style: { "flex-grow": String(rows) } }));
}

function underWay(job) {
  if (job.status === "pending") return job.queuePosition ? `Waiting in the queue, place ${number(job.queuePosition)}` : "Waiting in the queue";
  const { current, total, percentage } = job.progress;
  const lacking = lack(job);
  if (lacking) return `${percent(percentage)} · Continues automatically when ${lacking.until}`;
  if (total === null && job.status === "paused") return "Paused before the rows were counted";
  if (total === null) return "Scanning the file …";
  const left = job.status === "processing" && job.etaSeconds !== null ? `${duration(job.etaSeconds)} left` : null;
  const pace = job.status === "processing" && job.rowsPerSecond !== null ? rate(job.rowsPerSecond) : null;
  return [percent(percentage), `${number(current)} of ${counted(total, "row")}`, pace, left].filter(Boolean).join(" · ");
}

function ended(job) {
  if (job.status === "failed") return job.error ?? "The job failed.";
  const total = job.progress.total ?? job.progress.current;
  if (job.status === "cancelled" && job.progress.current === 0) return "Stopped before its first row";
  if (job.status === "cancelled") return `Stopped after ${number(job.progress.current)} of ${counted(total, "row")}`;
  if (job.dryRun && total > 0) return `Nothing stored · ${checked(job, total)}`;
  return checked(job, total);
}

function checked(job, total) {
  const known = outcomes(job).filter(([outcome]) => job.counts[outcome] > 0);
  const counts = known.map(([outcome, , , word]) => `${number(job.counts[outcome])} ${word}`);
  const removed = isMirror(job) && job.counts.removed > 0 ? [`${number(job.counts.removed)} removed`] : [];
  // All rows alike need no sum before them.
  const rows = known.length === 1 && total > 0 ? counts : [counted(total, "row"), ...counts];
  return [...rows, ...removed].join(" · ");
}

function isOlder(job, shown) {
  if (!isLive(shown)) return isLive(job);
  if (!isLive(job)) return false;
  if (job.progress.current !== shown.progress.current) return job.progress.current < shown.progress.current;
  if (job.status === "pending" || shown.status === "pending") return job.status === "pending" && shown.status !== "pending";
  // Paused and resumed, it is as far as before: then the later word counts.
  return Date.parse(job.lastProgressAt) < Date.parse(shown.lastProgressAt);
}

customElements.define("job-row", JobRow);

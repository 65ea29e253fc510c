// What the page knows of one job: the snapshot, then every event once, in their order. Progress
// never goes back, whatever is replayed. Knows neither the document nor the network.

import { isRollback } from "./job-kind.js";
import { lineOf } from "./log-lines.js";

/** @typedef {import('./types/api').Schema<"JobView">} JobView */

/** The percentage of a job whose rows are counted and not yet written. */
const BEFORE_ROWS = 15;
/** An estimate is worth something from here on. */
const ETA_EVENTS = 3;
const ETA_MILLIS = 2000;
/** The pace of the last seconds counts most: after this time an old one has lost two thirds. */
const ETA_MEMORY = 5000;
/** Longer than a chunk takes anywhere: time to say that the job is quiet. */
const QUIET_MILLIS = 10_000;
/** A job and its last event are not written in the very same moment. */
const MARGIN_MILLIS = 2000;
/** The steps with which a job continues that stood still. */
const CONTINUING = ["resumed", "continued"];
/** More points than the chart has pixels tell nothing. */
const POINTS = 4000;

export class JobState {
  /**
   * The job as in its status; `null` until the first answer.
   * @type {JobView}
   */
  job = null;
  /** The last event of the job, when it came. */
  end = null;
  /** What the job does: the sentence of its last step. */
  step = "";
  current = 0;
  total = null;
  /** Rows of a file that is stored as a whole or not at all: written, and stored for nobody yet. */
  staged = 0;
  /** Moments and the rows written then: `{at, rows}`. */
  points = [];
  /** Created records of other tables by column: "category" → `{ table: "categories", names: ["Dilutions", …] }`. */
  references = new Map();
  /** Its retries and rollbacks, oldest first; known when it is over. */
  children = [];
  /** Seconds after which a job that stands still may be taken from its server; `null`: not known. */
  stuckAfter = null;
  /** True when the server said that events of rows or references are missing. */
  isPartial = false;

  /** Until then the first answer knows everything; what is later happens while we listen. */
  #opened = null;
  /** The same for the last connection: only what is later came as soon as it happened. */
  #connected = Infinity;
  /** The server's clock minus ours: at least this, and by what came at once about this. */
  #skewAtLeast = 0;
  #skew = null;
  #seen = 0;
  #notices = new Set();
  #known = new Set();
  #pace = null;
  #progressed = 0;
  #firstProgress = null;
  #lastAt = null;

  /** The same job, of which nothing was heard yet. */
  afresh() {
    const state = new JobState();
    Object.assign(state, { children: this.children, stuckAfter: this.stuckAfter });
    state.take(this.job);
    return state;
  }

  /** Takes the job as the status shows it. An older answer changes nothing. */
  take(job) {
    if (isOlder(job, this.job) || (this.end && !isOver(job.status))) return;
    this.job = job;
    this.#reach(job.progress?.current, job.progress?.total);
    this.#stage(job.progress?.staged ?? 0);
    this.#heard(Date.parse(job.lastProgressAt));
  }

  /**
   * Takes an event; gives its line for the log, or `null`. An event that was seen before changes
   * nothing and makes no line.
   */
  apply(event, id) {
    if (event.type === "snapshot") {
      this.#connected = Date.parse(event.timestamp);
      this.#opened ??= this.#connected;
      if (event.job) this.take(event.job);
      return null;
    }
    if (event.type === "queue") {
      this.job = { ...this.job, queuePosition: event.queuePosition };
      return null;
    }
    if (!this.#isNew(event, Number(id))) return null;
    const line = lineOf(event, isRollback(this.job));
    // A notice about the stream itself is no event of the job.
    if (id) this.#follow(event, line);
    this.isPartial ||= Boolean(event.notice);
    return line;
  }

  #isNew({ notice, first, last, rows }, number) {
    if (!(number > 0)) {
      const said = JSON.stringify([notice, first, last, rows]);
      const isNew = !this.#notices.has(said);
      this.#notices.add(said);
      return isNew;
    }
    if (number <= this.#seen) return false;
    this.#seen = number;
    return true;
  }

  #follow(event, line) {
    const at = Date.parse(event.timestamp);
    this.#compareClocks(at);
    this.#heard(at);
    if (event.type === "progress") this.#progress(event, at);
    else if (event.type === "master") this.#created(event.reference);
    else if (event.type === "complete") this.#ended(event, at);
    const isStep = event.type === "log" && !event.row_number;
    if (CONTINUING.includes(event.step) && this.points.length > 0) this.#goOn(at);
    if (isStep || event.type === "progress") this.step = line?.text ?? "";
    // The pace is measured from the last step before the first rows.
    if (isStep && this.#progressed === 0 && event.percentage <= BEFORE_ROWS) this.points = [{ at, rows: 0 }];
  }

  /** No event is from the future, and one that happens now is from now. */
  #compareClocks(at) {
    const ahead = at - Date.now();
    if (ahead > this.#skewAtLeast) this.#skewAtLeast = ahead;
    if (at > this.#connected + MARGIN_MILLIS) this.#skew = Math.max(this.#skew ?? ahead, ahead);
  }

  #progress(event, at) {
    const before = this.points.at(-1) ?? { at: Date.parse(this.job?.startedAt) || at, rows: 0 };
    if (this.points.length === 0) this.points.push(before);
    this.#reach(event.current, event.total);
    if (!(event.current >= before.rows) || !Number.isFinite(at)) return;
    this.#progressed += 1;
    this.#firstProgress ??= at;
    this.points.push({ at, rows: event.current });
    if (this.points.length > POINTS) this.points = everySecond(this.points);
    this.#measure(at - before.at, event.current - before.rows);
  }

  /** The time in which the job stood still is none of its pace. */
  #goOn(at) {
    const { rows } = this.points.at(-1);
    this.points.push({ at, rows });
  }

  /** A job with many events has lost some of its progress events: then the end is what is left. */
  #ended(event, at) {
    this.end = event;
    const counts = Object.values(event.data?.counts ?? {});
    const rows = counts.reduce((sum, count) => sum + count, 0);
    if (rows > (this.points.at(-1)?.rows ?? Infinity)) this.points.push({ at, rows });
  }

  /** Smooths the pace; chunks of two writers may end in the same millisecond. */
  #measure(millis, rows) {
    const old = this.#pace ?? { millis: 0, rows: 0 };
    const kept = Math.exp(-Math.max(0, millis) / ETA_MEMORY);
    this.#pace = { millis: old.millis * kept + Math.max(0, millis), rows: old.rows * kept + rows };
  }

  #created(reference) {
    if (!reference) return;
    const { column, table, name } = reference;
    // A dry run rolls every chunk back and so creates the same record again in the next one.
    const key = JSON.stringify([column, name]);
    if (this.#known.has(key)) return;
    this.#known.add(key);
    if (!this.references.has(column)) this.references.set(column, { table: table ?? column, names: [] });
    this.references.get(column).names.push(name);
  }

  #reach(current, total) {
    if (current > this.current) this.current = current;
    if (typeof total === "number") this.total = total;
  }

  /** No event says it; that there are more is progress. */
  #stage(rows) {
    if (rows > this.staged) this.#heard(this.now);
    this.staged = rows;
  }

  #heard(at) {
    if (Number.isFinite(at) && !(at <= this.#lastAt)) this.#lastAt = at;
  }

  /** False for a line that is told again: what happened before somebody looked. */
  isNews(line) {
    return line.at > this.#opened + MARGIN_MILLIS;
  }

  get status() {
    return this.end?.status ?? this.job?.status ?? "pending";
  }

  get isOver() {
    return isOver(this.status);
  }

  /** Now, by the server's clock. */
  get now() {
    return Date.now() + (this.#skew ?? this.#skewAtLeast);
  }

  get counts() {
    return this.end?.data?.counts ?? this.job?.counts ?? {};
  }

  /** Seconds in which the job ran, in all of its runs: pauses are no part of them. */
  get elapsed() {
    const { runSeconds = null, lastProgressAt, completedAt, status } = this.job ?? {};
    if (runSeconds === null || completedAt || status === "paused") return runSeconds;
    const until = this.isOver ? Date.parse(this.end?.timestamp) : this.now;
    const since = (until - Date.parse(lastProgressAt)) / 1000;
    return runSeconds + (since > 0 ? since : 0);
  }

  /** Seconds since anything was heard of the job; `null` unless it runs. */
  get sinceProgress() {
    if (this.status !== "processing" || this.#lastAt === null) return null;
    return Math.max(0, (this.now - this.#lastAt) / 1000);
  }

  /** True when a running job has said nothing for a while. */
  get isQuiet() {
    return this.isStuck || (this.sinceProgress !== null && this.sinceProgress * 1000 >= QUIET_MILLIS);
  }

  /** True when it has stood still for so long that it may be taken from its server. */
  get isStuck() {
    return this.sinceProgress !== null && this.stuckAfter !== null && this.sinceProgress >= this.stuckAfter;
  }

  /** Seconds to go; `null` while an estimate would be a guess. */
  get remaining() {
    if (this.status !== "processing" || this.isQuiet || this.total === null || !this.#pace) return null;
    const long = this.now - this.#firstProgress >= ETA_MILLIS;
    if (this.#progressed < ETA_EVENTS || !long || this.#pace.rows <= 0) return null;
    const rows = Math.max(0, this.total - this.current);
    const seconds = (rows * this.#pace.millis) / this.#pace.rows / 1000;
    return Math.max(0, seconds - this.sinceProgress);
  }
}

function isOver(status) {
  return status === "completed" || status === "failed" || status === "cancelled";
}

/** Half as many, with the last one. */
function everySecond(points) {
  return points.filter((_, index) => index % 2 === (points.length - 1) % 2);
}

/** Paused and resumed, a job is as far as before: then the later word counts. */
function isOlder(job, known) {
  if (known === null) return false;
  const [was, is] = [rank(known), rank(job)];
  return is === was ? Date.parse(job.lastProgressAt) < Date.parse(known.lastProgressAt) : is < was;
}

/** A later state of a job has a higher rank: nothing takes back what is known already. */
function rank(job) {
  if (isOver(job.status)) return Infinity;
  return job.status === "pending" ? -1 : (job.progress?.current ?? 0);
}

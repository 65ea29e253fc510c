// <job-progress>: how far a job is. Two bars (the file, the rows), the step it is at, its times and
// the estimate, and the chart of its pace. Shows a JobState; knows no address.

import { PRIORITY_MAX, isRollback, lack } from "./job-kind.js";
import { capitalised, counted, duration, el, number, percent, put, size } from "./text.js";
import { progressBar } from "./progress-bar.js";
import "./rate-chart.js";

/** A chart of the pace needs so much time. */
const PACE_MILLIS = 1000;

const TONES = { completed: "good", failed: "bad", cancelled: "quiet", paused: "paused" };

class JobProgress extends HTMLElement {
  #file = bar("File received", "");
  #rows = bar("Rows written", "tall");
  #step = el("p", { class: "step" });
  #quiet = el("p", { class: "note", id: "quiet", hidden: true });
  #lack = el("p", { class: "note warn", id: "lack", hidden: true });
  #facts = {
    elapsed: fact("Elapsed"),
    left: fact("Time left"),
    since: fact("Last progress"),
  };
  #chart = el("rate-chart", {});

  connectedCallback() {
    if (this.firstChild) return;
    this.append(
      el(
        "div", { class: "bars" },
        this.#file.box, this.#rows.box, this.#step, this.#lack,
        el("dl", { class: "times" }, Object.values(this.#facts).map((one) => one.box)),
        this.#quiet,
      ),
      this.#chart,
    );
  }

  show(state) {
    if (!state.job) return;
    this.#showFile(state.job);
    this.#showRows(state);
    put(this.#step, stepOf(state));
    const lacking = lack({ ...state.job, status: state.status });
    this.#lack.hidden = !lacking;
    put(this.#lack, lacking ? reason(state.job, lacking) : "");
    this.#chart.hidden = !hasPace(state);
    this.#chart.show(state.points, state.now, state.status === "processing");
    this.tick(state);
  }

  /** What changes by time alone. */
  tick(state) {
    const { elapsed, left, since } = this.#facts;
    elapsed.set(state.elapsed === null ? null : duration(coarse(state.elapsed, state.isOver)));
    left.set(state.remaining === null ? null : `about ${duration(Math.ceil(state.remaining))}`);
    since.set(state.sinceProgress === null ? null : sinceWords(state.sinceProgress));
    this.#quiet.hidden = !state.isQuiet;
    if (state.isQuiet) {
      const reason = state.total === null ? "A large file takes a while to read." : "A large chunk, or a busy database, can take a while.";
      const help = state.isStuck ? " If its server hangs, Take over continues it on another server." : "";
      put(this.#quiet, `No progress for ${duration(Math.floor(state.sinceProgress))}. ${reason}${help} No data is lost.`);
    }
  }

  /** A job begins when its file is on disk; only then its size is known. */
  #showFile(job) {
    this.#file.box.hidden = isRollback(job);
    const known = typeof job.fileSize === "number";
    const words = known ? size(job.fileSize) : job.download ? downloadWords(job.download) : "receiving";
    put(this.#file.value, words);
    const { receivedBytes, totalBytes } = job.download ?? {};
    const part = known ? 100 : totalBytes ? (receivedBytes / totalBytes) * 100 : null;
    this.#file.bar.set(part, words, "quiet");
  }

  #showRows({ job, current, total, status, isOver, staged }) {
    if (isRollback(job)) this.#rows.call("Rows rolled back");
    else if (job.options?.dryRun) this.#rows.call("Rows checked");
    const isCounting = total === null && status === "processing";
    const unknown = isCounting ? "counting" : isOver ? "not counted" : "waiting";
    const isStaged = staged > 0 && status === "processing";
    const done = isStaged ? staged : current;
    const words = total === null ? unknown : `${number(done)} of ${counted(total, "row")}${isStaged ? " staged" : ""}`;
    // A file of no rows is done as soon as that is known.
    const part = isCounting ? null : total === 0 ? 100 : (done / (total ?? 1)) * 100;
    put(this.#rows.value, total > 0 ? `${words} · ${percent(part)}` : words);
    this.#rows.bar.set(part, words, TONES[status]);
  }
}

/** How far a file is that is being downloaded. */
function downloadWords({ receivedBytes, totalBytes, bytesPerSecond }) {
  const rate = bytesPerSecond ? ` · ${size(bytesPerSecond)}/s` : "";
  return `${size(receivedBytes)}${totalBytes ? ` of ${size(totalBytes)}` : ""}${rate}`;
}

function bar(label, look) {
  const title = el("span", {}, label);
  const value = el("span", { class: "value" });
  const made = progressBar(label, { class: look });
  const call = (name) => {
    put(title, name);
    made.setAttribute("aria-label", name);
  };
  return { bar: made, call, value, box: el("div", { class: "bar" }, el("p", { class: "spread" }, title, value), made) };
}

/** A term and its value, away as long as there is none. */
function fact(term) {
  const value = el("dd", {});
  const box = el("div", { hidden: true }, el("dt", {}, term), value);
  const set = (text) => {
    box.hidden = text === null;
    put(value, text ?? "");
  };
  return { box, set };
}

/** Below a second of work a pace is chance. */
function hasPace({ status, points, now }) {
  if (status === "pending" || points.length < 2) return false;
  const until = status === "processing" ? now : points.at(-1).at;
  return until - points[0].at >= PACE_MILLIS;
}

function stepOf(state) {
  if (state.isOver) return "";
  if (state.status === "pending") return state.job.priority > PRIORITY_MAX ? "First in the queue." : place(state.job);
  if (lack(state.job)) return "";
  if (state.status === "paused") return "Paused. Resume continues from here.";
  if (state.staged > 0) return "Nothing is stored yet: all rows are stored together at the end, or none.";
  return state.step;
}

function place({ queuePosition }) {
  return queuePosition ? `Waiting in the queue, place ${number(queuePosition)}.` : "Waiting in the queue.";
}

/** Why it was paused automatically, and when it continues. */
function reason({ error }, { lacks, until }) {
  const said = error ? ` ${capitalised(error).replace(/[^.!?]$/, "$&.")}` : "";
  return `Paused: ${lacks}. The job continues automatically when ${until}; Resume tries at once.${said}`;
}

/** While it runs, tenths of seconds would only flicker. */
function coarse(seconds, isOver) {
  return isOver ? seconds : Math.floor(seconds);
}

function sinceWords(seconds) {
  return seconds < 2 ? "just now" : `${duration(Math.floor(seconds))} ago`;
}

customElements.define("job-progress", JobProgress);

// <rate-chart>: rows per second over the time of a job, drawn from moments at which rows were
// written. Knows no job; who looks with a screen reader gets the sentence beside it.

import { duration, el, put, rate, svg } from "./text.js";

/** As many steps as can be told apart, none shorter than a quarter of a second. */
const STEPS = 90;
const STEP_MILLIS = 250;
/** Between two chunks nothing is seen; only after this time it counts as standing still. */
const STILL_MILLIS = 3000;
const WIDTH = 300;
const HEIGHT = 72;

class RateChart extends HTMLElement {
  #steps = [];
  #millis = 0;
  #area = svg("path", { class: "area" });
  #curve = svg("path", { class: "curve", "vector-effect": "non-scaling-stroke" });
  #mean = svg("line", { class: "mean", x1: 0, x2: WIDTH, "vector-effect": "non-scaling-stroke" });
  #mark = svg("line", { class: "mark", y1: 0, y2: HEIGHT, "vector-effect": "non-scaling-stroke", hidden: true });
  #now = el("b", {});
  #label = el("span", { class: "muted small" });
  #rest = el("p", { class: "muted small" });
  #drawing = svg(
    "svg",
    {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true",
      onpointermove: (event) => this.#point(event), onpointerleave: () => this.#leave(),
    },
    this.#area, this.#mean, this.#curve, this.#mark,
  );
  #words = { now: "–", label: "", rest: "" };

  connectedCallback() {
    if (this.firstChild) return;
    this.append(el("p", { class: "figure" }, this.#now, " ", this.#label), this.#drawing, this.#rest);
  }

  /** Draws `[{at, rows}, …]`; `isLive` while more will come, and then `until` is now. */
  show(points, until, isLive) {
    const first = points[0];
    const last = points.at(-1);
    const end = isLive && until - last?.at > STILL_MILLIS ? until : last?.at;
    this.#steps = points.length > 1 && end > first.at ? paces(points, end) : [];
    this.#millis = this.#steps.length > 0 ? end - first.at : 0;
    const mean = this.#steps.length > 0 ? ((last.rows - first.rows) * 1000) / this.#millis : NaN;
    const peak = Math.max(...this.#steps, 0);
    this.#draw(peak, mean);
    this.#words = {
      now: this.#steps.length === 0 ? "–" : rate(isLive ? this.#recent() : mean),
      label: this.#steps.length === 0 ? "rows per second" : isLive ? "now" : "while writing",
      // Two moments give an average and nothing more.
      rest: points.length < 3 ? "" : `${isLive ? `Average ${rate(mean)}, peak` : "Peak"} ${rate(peak)}`,
    };
    this.#say(this.#words);
  }

  /** The last second or so: one step alone may lie between two chunks. */
  #recent() {
    const step = this.#millis / this.#steps.length;
    const latest = this.#steps.slice(-Math.max(1, Math.ceil(1500 / step)));
    return latest.reduce((sum, pace) => sum + pace, 0) / latest.length;
  }

  #say({ now, label, rest }) {
    put(this.#now, now);
    put(this.#label, label);
    put(this.#rest, rest);
  }

  #draw(peak, mean) {
    const width = WIDTH / this.#steps.length;
    const y = (pace) => (HEIGHT - (peak > 0 ? (pace / peak) * (HEIGHT - 4) : 0)).toFixed(1);
    const corners = this.#steps.map((pace, index) => `${((index + 0.5) * width).toFixed(1)} ${y(pace)}`);
    const line = corners.length > 0 ? `M0 ${y(0)}L${corners.join("L")}L${WIDTH} ${y(this.#steps.at(-1))}` : "";
    this.#curve.setAttribute("d", line);
    this.#area.setAttribute("d", line && `${line}V${HEIGHT}H0Z`);
    this.#mean.toggleAttribute("hidden", !Number.isFinite(mean));
    this.#mean.setAttribute("y1", y(mean || 0));
    this.#mean.setAttribute("y2", y(mean || 0));
  }

  #point(event) {
    if (this.#steps.length === 0) return;
    const box = this.#drawing.getBoundingClientRect();
    const index = Math.min(this.#steps.length - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * this.#steps.length)));
    const step = this.#millis / this.#steps.length;
    const x = (index + 0.5) * (WIDTH / this.#steps.length);
    this.#mark.setAttribute("x1", x);
    this.#mark.setAttribute("x2", x);
    this.#mark.removeAttribute("hidden");
    this.#say({ ...this.#words, now: rate(this.#steps[index]), label: `after ${duration(((index + 0.5) * step) / 1000)}` });
  }

  #leave() {
    this.#mark.setAttribute("hidden", "");
    this.#say(this.#words);
  }
}

/**
 * Rows per second in steps of equal length. Rows of a chunk count for the whole time since the
 * chunk before: they were worked on all the while, though they were seen at once.
 */
function paces(points, end) {
  const from = points[0].at;
  const count = Math.max(1, Math.min(STEPS, Math.floor((end - from) / STEP_MILLIS)));
  const step = (end - from) / count;
  const paces = [];
  let written = points[0].rows;
  let index = 1;
  for (let i = 1; i <= count; i += 1) {
    const at = from + i * step;
    while (index < points.length - 1 && points[index].at < at) index += 1;
    const rows = between(points[index - 1], points[index], at);
    paces.push(((rows - written) * 1000) / step);
    written = rows;
  }
  return paces;
}

/** Rows at a moment between two points, or at the nearer one outside of them. */
function between(a, b, at) {
  if (at >= b.at || b.at <= a.at) return b.rows;
  if (at <= a.at) return a.rows;
  return a.rows + ((b.rows - a.rows) * (at - a.at)) / (b.at - a.at);
}

customElements.define("rate-chart", RateChart);

// What people read: elements built from texts that are never taken for HTML; numbers, sizes,
// durations and times. Knows no address, no job and no other module.

const SVG = "http://www.w3.org/2000/svg";

/**
 * Builds an element: `el("a", { class: "job", href: "jobs/1" }, "Job ", el("b", {}, 1))`.
 *
 * Attributes: a function is a listener (`onclick`), `true` an empty attribute, `false`, `null` and
 * `undefined` none; `style` is an object of CSS properties, `dataset` one of data attributes;
 * `value` and `checked` are set as properties. Children: nodes, texts, numbers, lists of these;
 * `null`, `undefined` and `false` are left out.
 */
export function el(tag, attributes, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same for an element of SVG: `svg("path", { d: "M0 0h4" })`. */
export function svg(tag, attributes, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") {
      element.addEventListener(name.replace(/^on/, ""), value);
    } else if (name === "style") {
      for (const [property, text] of Object.entries(value)) {
        element.style.setProperty(property, text);
      }
    } else if (name === "dataset") {
      Object.assign(element.dataset, value);
    } else if (name === "value" || name === "checked") {
      element[name] = value;
    } else {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  element.append(...children.flat(Infinity).filter(isShown).map(asNode));
  return element;
}

function isShown(child) {
  return child !== null && child !== undefined && child !== false;
}

function asNode(child) {
  return child instanceof Node ? child : document.createTextNode(String(child));
}

/** Sets an element's text only when it differs, so that nobody's selection or reader is disturbed. */
export function put(element, text) {
  const wanted = String(text ?? "");
  if (element.textContent !== wanted) element.textContent = wanted;
}

const whole = new Intl.NumberFormat("en");
const oneDigit = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

/** `1234567` → "1,234,567"; what is not known → "–". */
export function number(value) {
  return isNumber(value) ? whole.format(value) : "–";
}

/** `1, "row", "rows"` → "1 row". */
export function counted(value, one, many = `${one}s`) {
  return `${number(value)} ${value === 1 ? one : many}`;
}

/** `42.5` → "42 %". Rounded down: nothing is at 100 % before it is done. */
export function percent(value) {
  return `${Math.floor(isNumber(value) ? value : 0)} %`;
}

/** `136600000` → "136.6 MB". Thousands, as file managers and disks count. */
export function size(bytes) {
  if (!isNumber(bytes)) return "–";
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  if (unit === 0) return counted(value, "byte");
  return `${oneDigit.format(value)} ${units[unit]}`;
}

/** @type {[number, string][]} */
const POWERS = [[2 ** 40, "TiB"], [2 ** 30, "GiB"], [2 ** 20, "MiB"]];

/** A limit that was set in powers of two: `1073741824` → "1 GiB". */
export function limitSize(bytes) {
  for (const [unit, name] of POWERS) {
    if (bytes >= unit && bytes % (unit / 4) === 0) return `${number(bytes / unit)} ${name}`;
  }
  return size(bytes);
}

/** Seconds: `0.4` → "0.4 s", `83` → "1 min 23 s", `7300` → "2 h 1 min". */
export function duration(seconds) {
  if (!isNumber(seconds)) return "–";
  if (seconds > 0 && seconds < 0.1) return "< 0.1 s";
  if (seconds < 10) return `${oneDigit.format(Math.max(0, seconds))} s`;
  const all = Math.round(seconds);
  if (all < 60) return `${all} s`;
  if (all < 3600) return parted(all, 60, "min", 1, "s");
  if (all < 86400) return parted(all, 3600, "h", 60, "min");
  return parted(all, 86400, "d", 3600, "h");
}

function parted(seconds, large, largeUnit, small, smallUnit) {
  const rest = Math.floor((seconds % large) / small);
  return `${Math.floor(seconds / large)} ${largeUnit}${rest > 0 ? ` ${rest} ${smallUnit}` : ""}`;
}

/** `81234.5` → "81,235 rows/s". */
export function rate(rowsPerSecond) {
  if (!isNumber(rowsPerSecond)) return "–";
  const text = rowsPerSecond < 10 ? oneDigit.format(rowsPerSecond) : number(Math.round(rowsPerSecond));
  return `${text} rows/s`;
}

const dayAndTime = new Intl.DateTimeFormat("en-GB", {
  day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
});
const dayOnly = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const timeOnly = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** "14:05:09" in the reader's own time zone. */
export function clock(time) {
  return format(timeOnly, time);
}

/** "22 Nov 2026, 14:05:09" in the reader's own time zone. */
export function moment(time) {
  return format(dayAndTime, time);
}

/** "just now", "5 min ago", "today 14:05", "22 Nov 2026": as near as somebody asks. */
export function ago(time, now = Date.now()) {
  const then = Date.parse(time);
  if (!isNumber(then)) return "–";
  const seconds = (now - then) / 1000;
  if (seconds < 10) return "just now";
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  const sameDay = new Date(then).toDateString() === new Date(now).toDateString();
  if (sameDay) return `today ${format(timeOnly, time).slice(0, 5)}`;
  return format(dayOnly, time);
}

/** A `<time>` that says how long ago, and exactly when to those who point at it. */
export function timeTag(time) {
  return el("time", { datetime: time, title: moment(time) }, ago(time));
}

/** The word on the badge of a job; `data-status` on the badge gives its colour (style.css). */
export function statusWord(job) {
  const words = { pending: "Waiting", processing: "Running", paused: "Paused", failed: "Failed", cancelled: "Cancelled" };
  const lacking = { storage_full: "Paused, disk full", storage_unavailable: "Paused, storage offline" };
  if (job.status === "paused" && lacking[job.errorCode]) return lacking[job.errorCode];
  if (job.status !== "completed") return words[job.status] ?? job.status;
  if (!(job.counts?.failed > 0)) return "Done";
  return typeof job.rollbackOf === "number" ? "Done, some kept" : "Done, with errors";
}

/** The badge of a job: `<span class="badge" data-status="completed" data-errors>Done, with errors</span>`. */
export function badge(job) {
  const errors = job.status === "completed" && job.counts?.failed > 0;
  return el("span", { class: "badge", "data-status": job.status, "data-errors": errors }, statusWord(job));
}

/** True while the job may still change. */
export function isLive(job) {
  return !["completed", "failed", "cancelled"].includes(job.status);
}

/** A message that stands by itself begins with a capital letter; a value in quotes stays as it is. */
export function capitalised(message) {
  return String(message ?? "").replace(/^[a-z]/, (letter) => letter.toUpperCase());
}

/** `["a", "b", "c"]` → "a, b and c". */
export function listed(words) {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/** A sentence of the server as nodes: it begins with a capital, what stands between backticks is `<code>`. */
export function sentence(text) {
  return capitalised(text).split("`").map((part, index, all) => {
    // A backtick without its partner is a letter.
    if (index % 2 === 0) return part;
    return index < all.length - 1 ? el("code", {}, part) : `\`${part}`;
  });
}

function format(formatter, time) {
  const date = new Date(time ?? NaN);
  return Number.isNaN(date.getTime()) ? "–" : formatter.format(date);
}

function isNumber(value) {
  return typeof value === "number" && Number.isFinite(value);
}

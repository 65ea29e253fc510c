// What a line of the log is: an event of the stream becomes one line, or none.
// Pure functions; knows neither the document nor the network.

import { counted, number } from "./text.js";

/** The kinds of lines in the order of their filter buttons, with the words on these. */
export const KINDS = [
  ["created", "Created"],
  ["updated", "Updated"],
  ["unchanged", "Unchanged"],
  ["reference", "References"],
  ["superseded", "Replaced"],
  ["error", "Errors"],
  ["log", "Steps"],
];

const ENDS = { completed: "success", failed: "error", cancelled: "warning" };

/**
 * The line of an event: `{kind, level, at, row, text, step}`; `row` only where the text does not
 * name it. A snapshot has none, because nothing happened.
 */
export function lineOf(event, isRollback = false) {
  if (typeof event?.message !== "string" || event.type === "snapshot") return null;
  const text = event.type === "progress" ? rowsDone(event, isRollback) : oneLine(event.message);
  const at = Date.parse(event.timestamp);
  // The sentence about an outcome begins with its row.
  const row = event.outcome ? null : (event.row_number ?? null);
  const step = event.type === "complete" ? "complete" : (event.step ?? null);
  return { kind: kindOf(event), level: levelOf(event), at, row, text, step };
}

/** `"100,000 of 300,000 rows written"`. */
export function rowsDone({ current, total }, isRollback) {
  return `${number(current)} of ${counted(total, "row")} ${isRollback ? "rolled back" : "written"}`;
}

function kindOf({ type, outcome, level }) {
  if (type === "master") return "reference";
  if (type === "error" || outcome === "failed") return "error";
  if (KINDS.some(([kind]) => kind === outcome)) return outcome;
  return type === "log" && level === "error" ? "error" : "log";
}

function levelOf({ type, status, level }) {
  if (type === "error") return "error";
  if (type === "complete") return ENDS[status] ?? "info";
  return level ?? "info";
}

/** Every line is equally high, so line breaks of a cell are shown as signs. */
function oneLine(text) {
  return text.replace(/\r\n?|\n/g, "⏎").replace(/\t/g, "⇥");
}

/** The time of day of a line, with milliseconds, as the reader's clock shows it. */
export function timeOfDay(at) {
  if (!Number.isFinite(at)) return "--:--:--.---";
  const date = new Date(at);
  const two = (value) => String(value).padStart(2, "0");
  const millis = String(date.getMilliseconds()).padStart(3, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${millis}`;
}

/** A line as it is copied. */
function asText(line) {
  const from = line.row === null ? "" : ` (row ${line.row})`;
  return `${timeOfDay(line.at)}  ${line.text}${from}`;
}

/** True when the filter lets a line through; `kinds` empty and `words` empty let all through. */
export function passes(line, kinds, words) {
  if (kinds.size > 0 && !kinds.has(line.kind)) return false;
  if (words.length === 0) return true;
  const text = line.text.toLowerCase();
  return words.every((word) => text.includes(word));
}

// Enough for a whole job with every row of an ordinary file, and about 60 MB at most.
const KEPT = 200_000;
const DROPPED_AT_ONCE = 20_000;

/** The lines of a job in order, and those among them that the filter lets through. */
export class LogLines {
  #lines = [];
  #shown = null;
  #kinds = new Set();
  #words = [];
  #counts = new Map();
  #dropped = 0;

  /** How many lines pass the filter. */
  get length() {
    return this.#shown === null ? this.#lines.length : this.#shown.length;
  }

  /** How many of the oldest lines are no longer kept. */
  get dropped() {
    return this.#dropped;
  }

  get filtered() {
    return this.#shown !== null;
  }

  count(kind) {
    return this.#counts.get(kind) ?? 0;
  }

  get total() {
    return this.#dropped + this.#lines.length;
  }

  /** The line at a place among those that pass the filter. */
  at(index) {
    return this.#shown === null ? this.#lines[index] : this.#shown[index];
  }

  /** Adds a line; tells how many that passed the filter had to go for it. */
  push(line) {
    this.#lines.push(line);
    this.#counts.set(line.kind, this.count(line.kind) + 1);
    if (this.#shown !== null && passes(line, this.#kinds, this.#words)) {
      this.#shown.push(line);
    }
    return this.#lines.length > KEPT ? this.#drop() : 0;
  }

  #drop() {
    const before = this.length;
    this.#lines.splice(0, DROPPED_AT_ONCE);
    this.#dropped += DROPPED_AT_ONCE;
    this.filter(this.#kinds, this.#words);
    return before - this.length;
  }

  filter(kinds, words) {
    this.#kinds = kinds;
    this.#words = words;
    const all = kinds.size === 0 && words.length === 0;
    this.#shown = all ? null : this.#lines.filter((line) => passes(line, kinds, words));
  }

  clear() {
    this.#lines = [];
    this.#counts.clear();
    this.#dropped = 0;
    this.filter(this.#kinds, this.#words);
  }

  /** All lines that pass the filter, as text. */
  text() {
    const lines = this.#shown ?? this.#lines;
    return lines.map((line) => `${asText(line)}\n`).join("");
  }
}

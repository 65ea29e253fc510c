// <job-results>: how a job ended, in a sentence: what is in the table now, why it failed and what to
// do, and the files to go on with. Shows a JobState that is over; knows no address but links.

import { downloadLink } from "./download-link.js";
import { isRollback, what } from "./job-kind.js";
import { counted, duration, el, number, sentence as nodesOf } from "./text.js";
import { sentence } from "./log-lines.js";

/** What to do about a failed job, by its code; the same advice as in the API's documentation. */
const ADVICE = {
  unclosed_quote: "Close the quote at the place that the message names, then upload the file again.",
  field_too_long: "Look at the place that the message names; often a quote is missing there.",
  too_many_rows: "Split the file and upload its parts.",
  parser_crashed: "Open the workbook in a spreadsheet program and save it again, or save it as CSV.",
  parser_timeout: "Save the sheet as CSV and upload that.",
  corrupt_workbook: "Open the workbook in a spreadsheet program and save it again.",
  expands_too_large: "Save the sheet as CSV and upload that.",
  encoding_unknown: "Save the file as UTF-8, or name its encoding when you upload it.",
  source_unreadable: "Ask the operator to look at the data folder's disk, then upload the file again.",
  source_changed: "Upload the file again.",
  too_many_errors: "Mend the failed rows below, or allow more of them, then upload the file again.",
  aborted_on_error: "Mend the failed row below, then upload the file again.",
  crashed_repeatedly: "Ask the operator to look at the log of the server; upload again when the cause is gone.",
  dataset_changed: "Upload the file again: the dataset was changed in the meantime.",
};

class JobResults extends HTMLElement {
  #shown = "";
  #linked = "";
  #said = el("div", {});
  #files = el("div", {});

  connectedCallback() {
    this.hidden = this.#shown === "";
  }

  show(state) {
    const { job, end } = state;
    const shown = state.isOver ? JSON.stringify([state.status, state.counts, job.links, job.actions, job.results, job.error, end?.message, state.children.map((child) => [child.jobId, child.status, child.counts])]) : "";
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.hidden = shown === "";
    if (shown === "") return;
    this.dataset.tone = tone(state);
    this.#said.replaceChildren(el("h2", {}, headline(state)), ...sentences(state));
    this.#link(job);
    if (!this.hasChildNodes()) this.append(this.#said, this.#files);
  }

  /** Links stay while they lead to the same: somebody may have the focus on one, or be clicking it. */
  #link(job) {
    const files = downloads(job);
    const linked = JSON.stringify(files);
    if (linked === this.#linked) return;
    this.#linked = linked;
    this.#files.replaceChildren(...links(files, job.links?.errorsCsv && !isRollback(job)));
  }
}

function tone({ status, counts }) {
  if (status === "failed") return "bad";
  if (status === "cancelled") return "quiet";
  return counts.failed > 0 ? "warn" : "good";
}

function headline({ status, counts, job }) {
  const subject = what(job);
  if (status === "failed") return `${subject} failed`;
  if (status === "cancelled") return `${subject} cancelled`;
  if (!(counts.failed > 0)) return `${subject} completed`;
  return `${subject} completed, ${counted(counts.failed, "row")} ${isRollback(job) ? "kept" : "failed"}`;
}

function sentences(state) {
  const { job, status } = state;
  const said = [];
  if (status === "failed") {
    said.push(el("p", { class: "reason" }, sentence(job.error ?? state.end?.message ?? "The server gave no reason.")));
    const advice = ADVICE[job.errorCode];
    if (advice) said.push(el("p", {}, el("b", {}, "What to do: "), advice));
  }
  const undo = undoOf(state);
  said.push(el("p", {}, undo ? undone(state, undo) : isRollback(job) ? takenBack(state) : [kept(state), partly(state)]));
  const small = [];
  if (status === "failed" && job.errorCode) small.push("Code ", el("code", {}, job.errorCode));
  if (state.elapsed !== null) small.push(small.length > 0 ? " · " : "", `Took ${duration(state.elapsed)}`);
  if (small.length > 0) said.push(el("p", { class: "small muted" }, small));
  return said;
}

/** The last job that took the import back and came to its end. */
function undoOf({ job, children }) {
  return children.findLast((child) => child.rollbackOf === job.jobId && child.status === "completed");
}

/** Where the rows of an import are that was taken back. */
function undone({ counts }, undo) {
  const written = (counts.created ?? 0) + (counts.updated ?? 0);
  const stayed = undo.counts?.failed > 0 ? `, except for ${counted(undo.counts.failed, "record")} that it kept` : "";
  return [`${counted(written, "row")} ${written === 1 ? "was" : "were"} written. `, el("a", { href: `/jobs/${undo.jobId}` }, `Job ${undo.jobId}`), ` has taken this import back${stayed}.`];
}

/** What an undo that has not come to its end took back until now. */
function partly({ job, children }) {
  const undo = children.findLast((child) => child.rollbackOf === job.jobId);
  const { removed = 0, updated = 0 } = undo?.counts ?? {};
  if (removed + updated === 0) return null;
  return [" ", el("a", { href: `/jobs/${undo.jobId}` }, `Job ${undo.jobId}`), ` has taken back ${counted(removed + updated, "record")} of them.`];
}

/** Where the rows are now. */
function kept({ counts, total, job }) {
  const written = (counts.created ?? 0) + (counts.updated ?? 0) + (counts.unchanged ?? 0);
  const done = written + (counts.superseded ?? 0) + (counts.failed ?? 0);
  const left = Math.max(0, (total ?? done) - done);
  if (job.options?.dryRun) return `Nothing was kept: a trial run only says what would happen to ${counted(done, "row")}.`;
  if (done === 0 && left > 0) return `Nothing was written: ${counted(left, "row")} without an outcome.`;
  if (done === 0) return "Nothing was written.";
  const overtaken = counts.superseded > 0 ? ` ${counted(counts.superseded, "row")} had a later row with the same key, which won.` : "";
  const again = job.actions?.includes("retry") ? "Retry can import them." : "Uploading the file again goes through all of it.";
  const rest = left > 0 ? ` What was written stays; ${counted(left, "row")} ${left === 1 ? "has" : "have"} no outcome. ${again}` : "";
  return `${number(written)} of ${counted(total ?? done, "row")} ${written === 1 ? "is" : "are"} in the table.${overtaken}${rest}`;
}

/** What became of the records of the import. */
function takenBack({ counts, total, job }) {
  const { removed = 0, updated = 0, unchanged = 0, failed = 0 } = counts;
  const left = Math.max(0, (total ?? 0) - removed - updated - unchanged - failed);
  const said = [
    removed > 0 && `${counted(removed, "record")} that job ${job.rollbackOf} had created ${removed === 1 ? "is" : "are"} removed.`,
    updated > 0 && `${counted(updated, "record")} ${updated === 1 ? "has its values" : "have their values"} of before again.`,
    unchanged > 0 && `${counted(unchanged, "row")} had nothing to take back.`,
    failed > 0 && `${counted(failed, "record")} ${failed === 1 ? "is" : "are"} kept: changed after the import, or the database does not let go of ${failed === 1 ? "it" : "them"}.`,
    left > 0 && `${counted(left, "row")} ${left === 1 ? "is" : "are"} not taken back.`,
  ];
  return said.filter(Boolean).join(" ") || "There was nothing to take back.";
}

const MEND = "Mend the failed rows and upload that file as it is: its last two columns are ignored.";

/** Addresses and names of the files to go on with. */
function downloads(job) {
  const { links = {} } = job;
  const failed = isRollback(job) ? "Kept rows" : "Failed rows";
  return [
    [links.errorsCsv, `${failed} as CSV`],
    [links.errorsXlsx, `${failed} as XLSX`],
    [links.unprocessedCsv, "Unprocessed rows as CSV"],
    [links.unprocessedXlsx, "Unprocessed rows as XLSX"],
  ].filter(([address]) => address);
}

function links(files, canBeMended) {
  if (files.length === 0) return [];
  const refused = el("p", { class: "small bad-text refused", role: "status" });
  const say = (reason) => refused.replaceChildren(...nodesOf(reason));
  const parts = files.map(([address, words]) => downloadLink(address, words, { class: "button compact" }, say));
  return [el("div", { class: "row downloads" }, parts), refused, canBeMended ? el("p", { class: "small muted" }, MEND) : ""];
}

customElements.define("job-results", JobResults);

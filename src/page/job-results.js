// <job-results>: how a job ended, in a sentence: what is in the table now, why it failed and what to
// do, and the files to continue with. Shows a JobState that is over; knows no address but links.

import { downloadLink } from "./download-link.js";
import { isMirror, isRollback, what } from "./job-kind.js";
import { capitalised, counted, duration, el, number, sentence } from "./text.js";

/** What to do about a failed job, by its code; the same advice as in the API's documentation. */
const ADVICE = {
  unclosed_quote: "Correct the quotes in the line that the message names, then upload the file again.",
  field_too_long: "Check the line that the message names; often a quote is missing there.",
  too_many_rows: "Split the file and upload its parts.",
  parser_crashed: "Open the workbook in a spreadsheet program and save it again, or save it as CSV.",
  parser_timeout: "Save the sheet as CSV and upload that.",
  corrupt_workbook: "Open the workbook in a spreadsheet program and save it again.",
  expands_too_large: "Save the sheet as CSV and upload that.",
  encoding_unknown: "Save the file as UTF-8, or name its encoding when you upload it.",
  source_unreadable: "Ask the operator to check the data folder's disk, then upload the file again.",
  source_changed: "Upload the file again.",
  too_many_errors: "Correct the failed rows below, or allow more of them, then upload the file again.",
  aborted_on_error: "Correct the failed row below, then upload the file again.",
  crashed_repeatedly: "Ask the operator to check the server's log; upload the file again when the cause is fixed.",
  dataset_changed: "Upload the file again: the dataset was changed meanwhile.",
};

/** Why a job failed, where the page knows it better than the sentence of the server. */
const REASONS = {
  aborted_on_error: "Stopped at the first bad row, as you chose.",
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
    said.push(el("p", { class: "reason" }, REASONS[job.errorCode] ?? capitalised(job.error ?? state.end?.message ?? "The server gave no reason.")));
    const advice = ADVICE[job.errorCode];
    if (advice) said.push(el("p", {}, el("b", {}, "What to do: "), advice));
  }
  const rollback = rollbackOf(state);
  said.push(el("p", {}, rollback ? rolledBack(state, rollback) : isRollback(job) ? reverted(state) : [kept(state), partly(state)]));
  const small = [];
  if (status === "failed" && job.errorCode) small.push("Code ", el("code", {}, job.errorCode));
  if (state.elapsed !== null) small.push(small.length > 0 ? " · " : "", `Took ${duration(state.elapsed)}`);
  if (small.length > 0) said.push(el("p", { class: "small muted" }, small));
  return said;
}

/** The last completed rollback of the import. */
function rollbackOf({ job, children }) {
  return children.findLast((child) => child.rollbackOf === job.jobId && child.status === "completed");
}

/** Where the rows of an import are that was rolled back. */
function rolledBack({ counts }, rollback) {
  const written = (counts.created ?? 0) + (counts.updated ?? 0);
  const stayed = rollback.counts?.failed > 0 ? `, except for ${counted(rollback.counts.failed, "record")} that it kept` : "";
  return [`${counted(written, "row")} ${written === 1 ? "was" : "were"} written. `, el("a", { href: `jobs/${rollback.jobId}` }, `Job ${rollback.jobId}`), ` rolled this import back${stayed}.`];
}

/** What an unfinished rollback reverted until now. */
function partly({ job, children }) {
  const rollback = children.findLast((child) => child.rollbackOf === job.jobId);
  const { removed = 0, updated = 0 } = rollback?.counts ?? {};
  if (removed + updated === 0) return null;
  return [" ", el("a", { href: `jobs/${rollback.jobId}` }, `Job ${rollback.jobId}`), ` rolled back ${counted(removed + updated, "record")} of them.`];
}

/** Where the rows are now. */
function kept({ counts, total, job }) {
  const written = (counts.created ?? 0) + (counts.updated ?? 0) + (counts.unchanged ?? 0);
  const done = written + (counts.superseded ?? 0) + (counts.failed ?? 0);
  const left = Math.max(0, (total ?? done) - done);
  if (job.options?.dryRun) return `Nothing was stored: a dry run only shows what would happen to ${counted(done, "row")}.${job.actions?.includes("confirm") ? " Import now writes them." : ""}`;
  if (done === 0 && left > 0) return `Nothing was written: ${counted(left, "row")} ${left === 1 ? "was" : "were"} not imported.`;
  if (done === 0) return "Nothing was written.";
  const superseded = counts.superseded > 0 ? ` ${counted(counts.superseded, "row")} ${counts.superseded === 1 ? "was" : "were"} replaced by a later row with the same key.` : "";
  const gone = isMirror(job) ? counts.removed ?? 0 : 0;
  const removed = gone > 0 ? ` ${counted(gone, "record")} that the file does not have ${gone === 1 ? "was" : "were"} removed.` : "";
  const again = job.actions?.includes("retry") ? "Retry can import them." : "Upload the file again to import them.";
  const rest = left > 0 ? ` ${counted(left, "row")} ${left === 1 ? "was" : "were"} not imported. ${again}` : "";
  return `${number(written)} of ${counted(total ?? done, "row")} ${written === 1 ? "is" : "are"} in the table.${superseded}${removed}${rest}`;
}

/** What a rollback did with the records of the import. */
function reverted({ counts, total, job }) {
  const { created = 0, removed = 0, updated = 0, unchanged = 0, failed = 0 } = counts;
  const left = Math.max(0, (total ?? 0) - created - removed - updated - unchanged - failed);
  const said = [
    created > 0 && `${counted(created, "record")} that job ${job.rollbackOf} deleted ${created === 1 ? "is" : "are"} back.`,
    removed > 0 && `${counted(removed, "record")} that job ${job.rollbackOf} created ${removed === 1 ? "was" : "were"} removed.`,
    updated > 0 && `${counted(updated, "record")} ${updated === 1 ? "has its former values" : "have their former values"} again.`,
    unchanged > 0 && `${counted(unchanged, "row")} had nothing to roll back.`,
    failed > 0 && `${counted(failed, "record")} ${failed === 1 ? "was" : "were"} kept: changed after the import, or the database refused the change.`,
    left > 0 && `${counted(left, "row")} ${left === 1 ? "was" : "were"} not rolled back.`,
  ];
  return said.filter(Boolean).join(" ") || "There was nothing to roll back.";
}

const CORRECT = "Correct the rows in this file and upload it again; leave the last two columns as they are.";

/** Addresses and names of the files to go on with. */
function downloads(job) {
  const { links = {} } = job;
  const failed = isRollback(job) ? "Kept rows" : "Failed rows";
  return [
    [links.errorsCsv, `${failed} as CSV`],
    [links.errorsXlsx, `${failed} as XLSX`],
    [links.rowsCsv, "All rows with outcome as CSV"],
    [links.rowsXlsx, "All rows with outcome as XLSX"],
    [links.unprocessedCsv, "Rows not reached as CSV"],
    [links.unprocessedXlsx, "Rows not reached as XLSX"],
  ].filter(([address]) => address);
}

function links(files, canBeCorrected) {
  if (files.length === 0) return [];
  const refused = el("p", { class: "small bad-text refused", role: "status" });
  const say = (reason) => refused.replaceChildren(...sentence(reason));
  const parts = files.map(([address, words]) => downloadLink(address, words, { class: "button compact" }, say));
  return [el("div", { class: "row downloads" }, parts), refused, canBeCorrected ? el("p", { class: "small muted" }, CORRECT) : ""];
}

customElements.define("job-results", JobResults);

// <job-results>: how a job ended, in a sentence: what is in the table now, why it failed and what to
// do, and the files to go on with. Shows a JobState that is over; knows no address but links.

import { counted, duration, el, number } from "./text.js";
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

  connectedCallback() {
    this.hidden = this.#shown === "";
  }

  show(state) {
    const { job, end } = state;
    const shown = state.isOver ? JSON.stringify([state.status, state.counts, job.links, job.results, job.error, end?.message]) : "";
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.hidden = shown === "";
    if (shown === "") return;
    this.dataset.tone = tone(state);
    this.replaceChildren(el("h2", {}, headline(state)), ...sentences(state), ...downloads(job));
  }
}

function tone({ status, counts }) {
  if (status === "failed") return "bad";
  if (status === "cancelled") return "quiet";
  return counts.failed > 0 ? "warn" : "good";
}

function headline({ status, counts, job }) {
  const what = job.options?.dryRun ? "Trial run" : "Import";
  if (status === "failed") return `${what} failed`;
  if (status === "cancelled") return `${what} cancelled`;
  return counts.failed > 0 ? `${what} completed, ${counted(counts.failed, "row")} failed` : `${what} completed`;
}

function sentences(state) {
  const { job, status } = state;
  const said = [];
  if (status === "failed") {
    said.push(el("p", { class: "reason" }, sentence(job.error ?? state.end?.message ?? "The server gave no reason.")));
    const advice = ADVICE[job.errorCode];
    if (advice) said.push(el("p", {}, el("b", {}, "What to do: "), advice));
  }
  said.push(el("p", {}, kept(state)));
  const small = [];
  if (status === "failed" && job.errorCode) small.push("Code ", el("code", {}, job.errorCode));
  if (state.elapsed !== null) small.push(small.length > 0 ? " · " : "", `Took ${duration(state.elapsed)}`);
  if (small.length > 0) said.push(el("p", { class: "small muted" }, small));
  return said;
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
  const rest = left > 0 ? ` What was written stays; ${counted(left, "row")} ${left === 1 ? "has" : "have"} no outcome. Uploading the file again goes through all of it.` : "";
  return `${number(written)} of ${counted(total ?? done, "row")} ${written === 1 ? "is" : "are"} in the table.${overtaken}${rest}`;
}

function downloads({ links = {} }) {
  const files = [
    [links.errorsCsv, "Failed rows as CSV"],
    [links.errorsXlsx, "Failed rows as XLSX"],
  ].filter(([address]) => address);
  const parts = files.map(([address, words]) => el("a", { class: "button compact", href: address, download: true }, words));
  if (parts.length === 0) return [];
  const hint = "Mend the failed rows and upload that file as it is: its last two columns are ignored.";
  return [el("div", { class: "row downloads" }, parts), el("p", { class: "small muted" }, hint)];
}

customElements.define("job-results", JobResults);

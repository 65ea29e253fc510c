// What kind of job it is: an import of a file, of some of its rows again, or one that takes an import
// back. The words that differ between them. Pure functions; knows neither the document nor the API.

import { counted, statusWord } from "./text.js";

/** What uploads and people may ask for; a job that was sent to the front has more. */
export const PRIORITY_MAX = 100;

/** outcome, word on its tile, meaning, word in a sentence, and its look where that is another's. */
const OF_IMPORTS = [
  ["created", "Created", "New records", "created"],
  ["updated", "Updated", "Records that changed", "updated"],
  ["unchanged", "Unchanged", "Records that were like this already", "unchanged"],
  ["superseded", "Superseded", "Rows that a later row with the same key overtook", "superseded"],
  ["failed", "Failed", "Rows with an error, not written", "failed"],
];
const OF_ROLLBACKS = [
  ["removed", "Removed", "Records that the import had created", "removed"],
  ["updated", "Put back", "Records that have the values of before again", "put back"],
  ["unchanged", "As they were", "Records that had these values already, or are gone", "as they were"],
  ["failed", "Kept", "Left as they are: changed after the import, or refused by the database", "kept", "kept"],
];

const UNPROCESSED = ["unprocessed", "Unprocessed", "Rows without an outcome so far", "unprocessed"];

/** True for a job that takes back what another one did. */
export function isRollback(job) {
  return isNumber(job?.rollbackOf);
}

/** The outcomes that rows of this kind of job have: `[outcome, word, meaning, word in a sentence, look]`. */
export function outcomes(job) {
  return isRollback(job) ? OF_ROLLBACKS : OF_IMPORTS;
}

/** The same with the rows that have none yet. */
export function outcomesAndRest(job) {
  return [...outcomes(job), UNPROCESSED];
}

/** What the job is, as the first word of a sentence. */
export function what(job) {
  if (isRollback(job)) return "Undo";
  return job.options?.dryRun ? "Trial run" : "Import";
}

/** Where the job comes from: `{ before: "Retry of ", id: 12, after: " (failed rows)" }`, or `null`. */
export function origin(job) {
  if (isRollback(job)) return { before: "Takes back ", id: job.rollbackOf, after: "" };
  if (!isNumber(job.retryOf)) return null;
  return { before: "Retry of ", id: job.retryOf, after: job.selection ? ` (${job.selection} rows)` : "" };
}

/** What a job did with the one that it came from: `{ before: "retried by ", id: 12, after: " (failed rows, done)" }`. */
export function descent(child) {
  const status = statusWord(child).toLowerCase();
  if (isRollback(child)) return { before: "taken back by ", id: child.jobId, after: ` (${status})` };
  return { before: "retried by ", id: child.jobId, after: ` (${child.selection ?? "all"} rows, ${status})` };
}

/** The rows that add up, in words: `"12 rows of the file"`. */
export function rowsOf(job, total) {
  if (isRollback(job)) return `${counted(total, "row")} of job ${job.rollbackOf}`;
  if (job.selection) return `${counted(total, `${job.selection} row`)} of job ${job.retryOf}`;
  return `${counted(total, "row")} of the file`;
}

/** What the job was set aside for and waits for: `{ lacks, until }`; null when it was not. */
export function lack(job) {
  return job.status === "paused" ? LACKS[job.errorCode] ?? null : null;
}

const LACKS = {
  storage_full: {
    lacks: "there is no room on the server's disk",
    until: "there is room",
  },
  storage_unavailable: {
    lacks: "the storage of the uploaded files is away",
    until: "it is back",
  },
};

function isNumber(value) {
  return typeof value === "number";
}

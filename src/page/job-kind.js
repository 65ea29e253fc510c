// What kind of job it is: an import of a file, a dry run, a retry of some rows, or a rollback. The words
// that differ between them. Pure functions; knows neither the document nor the API.

import { statusWord } from "./text.js";

/** What uploads and people may ask for; a job that was sent to the front has more. */
export const PRIORITY_MAX = 100;

/** outcome, word on its tile, meaning, word in a sentence, and its look where that is another's. */
const OF_IMPORTS = [
  ["created", "Created", "New records", "created"],
  ["updated", "Updated", "Records that changed", "updated"],
  ["unchanged", "Unchanged", "Records that had these values already", "unchanged"],
  ["superseded", "Replaced by a later row", "Rows with the key of a later row, which was written instead", "replaced by a later row"],
  ["failed", "Failed", "Rows with an error, not written", "failed"],
];
const OF_DRY_RUNS = [
  ["created", "New", "Records that an import would create", "new"],
  ["updated", "Changed", "Records that an import would change", "changed"],
  ...OF_IMPORTS.slice(2),
];
const OF_ROLLBACKS = [
  ["removed", "Removed", "Records that the import created", "removed"],
  ["updated", "Restored", "Records that have their former values again", "restored"],
  ["unchanged", "Unchanged", "Records that had their former values already, or are gone", "unchanged"],
  ["failed", "Kept", "Records that were changed after the import, or that the database refused to change", "kept", "kept"],
];

const PUT_BACK = ["created", "Put back", "Records that the import deleted", "put back"];

/** What a mirror removes: records of the table, no rows of the file, so that they are in no sum. */
export const REMOVED = ["removed", "Removed", "Records that the file does not have", "removed"];

const UNPROCESSED = ["unprocessed", "Not reached", "Rows that the job has not processed", "not reached"];

/** True for a job that rolls another one back. */
export function isRollback(job) {
  return isNumber(job?.rollbackOf);
}

/** True for a job that removes what its file does not have. */
export function isMirror(job) {
  return !isRollback(job) && job?.options?.mode === "mirror";
}

/** The outcomes that rows of this kind of job have: `[outcome, word, meaning, word in a sentence, look]`. */
export function outcomes(job) {
  if (isRollback(job)) return job.options?.mode === "mirror" ? [PUT_BACK, ...OF_ROLLBACKS] : OF_ROLLBACKS;
  return job?.options?.dryRun ? OF_DRY_RUNS : OF_IMPORTS;
}

/** The same with the rows that have none yet. */
export function outcomesAndRest(job) {
  return [...outcomes(job), UNPROCESSED];
}

/** What the job is, as the first word of a sentence. */
export function what(job) {
  if (isRollback(job)) return "Rollback";
  return job.options?.dryRun ? "Dry run" : "Import";
}

/** Where the job comes from: `{ before: "Retry of ", id: 12, after: " (failed rows)" }`, or `null`. */
export function origin(job) {
  if (isRollback(job)) return { before: "Rollback of ", id: job.rollbackOf, after: "" };
  if (isNumber(job.confirms)) return { before: "Confirms ", id: job.confirms, after: " (dry run)" };
  if (!isNumber(job.retryOf)) return null;
  return { before: "Retry of ", id: job.retryOf, after: job.selection ? ` (${selected(job.selection)})` : "" };
}

/** Which rows a retry takes, in words. */
function selected(selection) {
  return { failed: "failed rows", unprocessed: "rows not reached" }[selection] ?? "all rows";
}

/** What a job did with the one that it came from: `{ before: "retried by ", id: 12, after: " (failed rows, done)" }`. */
export function descent(child) {
  const status = statusWord(child).toLowerCase();
  if (isRollback(child)) return { before: "rolled back by ", id: child.jobId, after: ` (${status})` };
  if (isNumber(child.confirms)) return { before: "imported by ", id: child.jobId, after: ` (${status})` };
  return { before: "retried by ", id: child.jobId, after: ` (${selected(child.selection)}, ${status})` };
}

/** Why the job was paused automatically and what it waits for: `{ lacks, until }`; null when it was not. */
export function lack(job) {
  return job.status === "paused" ? LACKS[job.errorCode] ?? null : null;
}

const LACKS = {
  storage_full: {
    lacks: "the server's disk is full",
    until: "there is free space",
  },
  storage_unavailable: {
    lacks: "the storage of the uploaded files is offline",
    until: "it is back",
  },
};

function isNumber(value) {
  return typeof value === "number";
}

// The confirmations of actions that cannot be undone: what will happen, in sentences about this job. Knows the words of the actions, not how they are done.

import { counted, duration, el, number } from "./text.js";
import { isRollback } from "./job-kind.js";

const WORDS = { pause: "Pause", resume: "Resume", confirm: "Import now", retry: "Retry", rollback: "Roll back import", delete: "Delete" };

/** Actions as their buttons stand: those first that lead on, what ends a job last. */
export function inOrder(actions) {
  const place = (action) => (action === "confirm" ? -1 : Number(["cancel", "delete"].includes(action)));
  return [...actions].sort((a, b) => place(a) - place(b));
}

/** The word on the button of an action. */
export function word(action, job) {
  if (action === "force") return job.status === "processing" ? "Take over" : "Go next";
  if (action === "cancel") return isRollback(job) ? "Cancel rollback" : "Cancel import";
  return WORDS[action] ?? `${action.charAt(0).toUpperCase()}${action.slice(1)}`;
}

/** The look of the button of an action. */
export function look(action) {
  if (["cancel", "rollback", "delete"].includes(action)) return "danger";
  return action === "resume" || action === "confirm" ? "primary" : "";
}

/** The question before an action, as `ask` of ask-dialog.js takes it; `null` where none is asked. */
export function question(action, state) {
  return QUESTIONS[action]?.(state.job, state) ?? null;
}

const QUESTIONS = {
  force(job, { sinceProgress }) {
    if (job.status !== "processing") return null;
    const still = `No progress for ${duration(Math.floor(sinceProgress ?? 0))}.`;
    const then = "Another server that can read the file continues after the last committed chunk. The current server can no longer write.";
    return { title: "Take this job from its server?", says: [el("p", {}, `${still} ${then}`)], yes: word("force", job), no: "Cancel", tone: "primary" };
  },
  cancel(job) {
    const stays = isRollback(job) ? "What is rolled back by then stays rolled back." : "Rows that are written by then stay in the table.";
    const later = job.options?.dryRun ? "" : " Retry can import the remaining rows later.";
    return {
      title: isRollback(job) ? "Cancel this rollback?" : "Cancel this import?",
      says: [el("p", {}, `The job stops after the current chunk. ${stays}${isRollback(job) ? "" : later}`)],
      yes: word("cancel", job), no: "Keep running", tone: "danger solid",
    };
  },
  rollback(job) {
    const { created = 0, updated = 0 } = job.counts ?? {};
    const lines = [
      created > 0 && `${counted(created, "record")} that it created ${created === 1 ? "is" : "are"} removed.`,
      updated > 0 && `${counted(updated, "record")} that it changed ${updated === 1 ? "gets its" : "get their"} former values.`,
      "Records that were changed after the import, or that other records need, are kept and listed.",
    ];
    return {
      title: "Roll back this import?",
      says: [
        el("p", {}, "A new job reverts this import:"),
        el("ul", {}, lines.filter(Boolean).map((line) => el("li", {}, line))),
      ],
      yes: "Roll back import", no: "Cancel", tone: "danger solid",
    };
  },
  delete(job) {
    const table = isRollback(job) ? "The table does not change." : "The imported rows stay in the table.";
    const gone = ["retry", "rollback"].filter((action) => job.actions?.includes(action));
    const lost = { retry: "retried", rollback: "rolled back" };
    const more = gone.length > 0 ? ` Afterwards it cannot be ${gone.map((action) => lost[action]).join(" or ")}.` : "";
    return {
      title: `Delete job ${job.jobId}?`,
      says: [el("p", {}, `The job is deleted with its log, its row errors and its files. ${table}${more}`)],
      yes: "Delete job", no: "Cancel", tone: "danger solid",
    };
  },
  retry(job) {
    const choices = retryChoices(job);
    const chosen = choices.filter(([, , rows]) => rows !== 0).at(-1)?.[0];
    return {
      title: "Which rows should be imported again?",
      says: [
        el("fieldset", { class: "choices" }, el("legend", { class: "visually-hidden" }, "Rows"), choices.map((choice) => radio(choice, chosen))),
        chosen
          ? el("p", { class: "small muted" }, "A new job imports them from the uploaded file. This job does not change.")
          : el("p", {}, "The file has no rows, so there is nothing to import again."),
      ],
      yes: "Retry", no: "Cancel", tone: "primary", isVain: !chosen,
    };
  },
};

/** value, label, number of rows (`null` when not known), meaning. The last that has rows is proposed. */
function retryChoices(job) {
  const { failed = 0 } = job.counts ?? {};
  const { total = null, current = 0 } = job.progress ?? {};
  const rest = total === null ? null : Math.max(0, total - current);
  const left = job.links?.unprocessedCsv ? rest : 0;
  return [
    ["all", "All rows", total, "Existing records are updated or stay as they are."],
    ["failed", "Failed rows", failed, "Only useful if the file was right and the problem was elsewhere (for example a missing supplier)."],
    ["unprocessed", "Rows not reached", left, "The rows after the point where the job stopped."],
  ];
}

/**
 * One of several answers: value, label, number of rows (`null` when not known), meaning.
 * @param {any[]} choice
 */
export function radio([value, label, rows, meaning], chosen) {
  const none = rows === 0;
  const input = el("input", { type: "radio", name: "rows", value, disabled: none, checked: value === chosen });
  return el(
    "label", { class: "choice", "data-none": none }, input,
    el("span", {}, el("b", {}, label), rows === null ? "" : ` · ${none ? "none" : number(rows)}`, el("span", { class: "small muted meaning" }, meaning)),
  );
}

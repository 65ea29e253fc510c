// What is asked before an action that is not taken back with the next press: what will happen, in
// sentences about this job. Knows the words of the actions, not how they are done.

import { counted, duration, el, number } from "./text.js";
import { isRollback } from "./job-kind.js";

const WORDS = { pause: "Pause", resume: "Resume", retry: "Retry", rollback: "Undo import", delete: "Delete" };

/** Actions as their buttons stand: those first that lead on, what ends a job last. */
export function inOrder(actions) {
  const last = ["cancel", "delete"];
  return [...actions].sort((a, b) => last.includes(a) - last.includes(b));
}

/** The word on the button of an action. */
export function word(action, job) {
  if (action === "force") return job.status === "processing" ? "Take over" : "Go next";
  if (action === "cancel") return isRollback(job) ? "Cancel undo" : "Cancel import";
  return WORDS[action] ?? `${action.charAt(0).toUpperCase()}${action.slice(1)}`;
}

/** The look of the button of an action. */
export function look(action) {
  if (["cancel", "rollback", "delete"].includes(action)) return "danger";
  return action === "resume" ? "primary" : "";
}

/** The question before an action, as `ask` of ask-dialog.js takes it; `null` where none is asked. */
export function question(action, state) {
  return QUESTIONS[action]?.(state.job, state) ?? null;
}

const QUESTIONS = {
  force(job, { sinceProgress }) {
    if (job.status !== "processing") return null;
    const still = `Nothing moved for ${duration(Math.floor(sinceProgress ?? 0))}.`;
    const then = "It goes on behind its last committed chunk, on a server that reaches its file; what its server of now still tries to write is turned away.";
    return { title: "Take this job from its server?", says: [el("p", {}, `${still} ${then}`)], yes: word("force", job), no: "Leave it", tone: "primary" };
  },
  cancel(job) {
    const stays = isRollback(job) ? "What is taken back by then stays so." : "What is written by then stays.";
    const later = job.options?.dryRun ? "" : " The rows that are left can be had later, by Retry.";
    return {
      title: isRollback(job) ? "Stop taking the import back?" : "Cancel this import?",
      says: [el("p", {}, `It stops after the rows that are being written at this moment. ${stays}${isRollback(job) ? "" : later}`)],
      yes: word("cancel", job), no: "Keep going", tone: "danger solid",
    };
  },
  rollback(job) {
    const { created = 0, updated = 0 } = job.counts ?? {};
    const lines = [
      created > 0 && `${counted(created, "record")} that it created ${created === 1 ? "is" : "are"} removed.`,
      updated > 0 && `${counted(updated, "record")} that it changed ${updated === 1 ? "gets its" : "get their"} values of before back.`,
      "What was changed after the import, or is needed elsewhere, is kept as it is and listed.",
    ];
    return {
      title: "Undo this import?",
      says: [
        el("p", {}, "A job of its own takes back what this one did:"),
        el("ul", {}, lines.filter(Boolean).map((line) => el("li", {}, line))),
      ],
      yes: "Undo import", no: "Leave it", tone: "danger solid",
    };
  },
  delete(job) {
    const table = isRollback(job) ? "The table stays as it is now." : "The imported rows stay in the table.";
    const gone = ["retry", "rollback"].filter((action) => job.actions?.includes(action));
    const lost = { retry: "retried", rollback: "undone" };
    const more = gone.length > 0 ? ` Afterwards it cannot be ${gone.map((action) => lost[action]).join(" or ")} any more.` : "";
    return {
      title: `Delete job ${job.jobId}?`,
      says: [el("p", {}, `The job is forgotten, with its log, its row errors and its files. ${table}${more}`)],
      yes: "Delete job", no: "Keep it", tone: "danger solid",
    };
  },
  retry(job) {
    const choices = retryChoices(job);
    const chosen = choices.filter(([, , rows]) => rows !== 0).at(-1)?.[0];
    return {
      title: "Which rows are imported again?",
      says: [
        el("fieldset", { class: "choices" }, el("legend", { class: "visually-hidden" }, "Rows"), choices.map((choice) => radio(choice, chosen))),
        chosen
          ? el("p", { class: "small muted" }, "A new job takes them from the file as it was uploaded. This job stays as it is.")
          : el("p", {}, "The file has no rows, so there is nothing to import again."),
      ],
      yes: "Retry", no: "Leave it", tone: "primary", isVain: !chosen,
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
    ["all", "All rows", total, "What is in the table already is left as it is or updated."],
    ["failed", "Failed rows", failed, "They fail again, unless what was wrong is not in the file."],
    ["unprocessed", "Unprocessed rows", left, "Those that the job did not reach."],
  ];
}

function radio([value, label, rows, meaning], chosen) {
  const none = rows === 0;
  const input = el("input", { type: "radio", name: "rows", value, disabled: none, checked: value === chosen });
  return el(
    "label", { class: "choice", "data-none": none }, input,
    el("span", {}, el("b", {}, label), rows === null ? "" : ` · ${none ? "none" : number(rows)}`, el("span", { class: "small muted meaning" }, meaning)),
  );
}

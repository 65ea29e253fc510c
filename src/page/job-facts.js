// <job-facts>: what was detected about a job's file, its options, its times, its retries and rollbacks. Shows a job;
// knows no address.

import { descent } from "./job-kind.js";
import { el, moment, number, size } from "./text.js";

/** What an upload without options means; other values stand out. */
const USUAL = { mode: "upsert", dryRun: false, onError: "continue", blank: "clear", duplicates: "last", decimal: "undeclared", priority: 0, rows: "auto", undo: false };
const DELIMITERS = { ",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe" };
const SEPARATORS = { point: "point (1,234.56)", comma: "comma (1.234,56)", undeclared: "not declared" };

class JobFacts extends HTMLElement {
  #shown = "";

  show({ job, children }) {
    const shown = JSON.stringify([job.detected, job.download?.url, job.options, job.createdBy, job.startedAt, job.completedAt, job.filesRemovedAt, children.map(descent)]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const wasOpen = [...this.querySelectorAll("details")].map((details) => details.open);
    this.replaceChildren(
      el("header", {}, el("h2", {}, "File and options")),
      family(children),
      list(facts(job)),
      columns(job.detected ?? {}),
      el("details", {}, el("summary", {}, "Options"), list(options(job.options ?? {}))),
      el("details", {}, el("summary", {}, "Times and checksum"), list(times(job))),
    );
    this.querySelectorAll("details").forEach((details, index) => {
      details.open = wasOpen[index] ?? false;
    });
  }
}

/** Its retries and rollbacks, as one sentence. */
function family(children) {
  if (children.length === 0) return "";
  const parts = children.map(descent).map(({ before, id, after }, index) => [
    index === 0 ? before.charAt(0).toUpperCase() + before.slice(1) : ` · ${before}`,
    el("a", { href: `jobs/${id}` }, `job ${id}`),
    after,
  ]);
  return el("p", { class: "family" }, parts);
}

function facts({ detected, fileSize, createdBy, download }) {
  // A file that is still to be downloaded was not looked at.
  const { format, delimiter, encoding, bom, encodingGuessed, sheet, headerRow, decimal } = detected ?? {};
  return [
    ["Format", format?.toUpperCase()],
    ["Size", size(fileSize)],
    ["From", download?.url],
    ["Sent by", createdBy],
    ["Delimiter", delimiter === undefined ? null : (DELIMITERS[delimiter] ?? delimiter)],
    ["Encoding", encoding ? `${encoding}${bom ? ", with byte order mark" : ""}${encodingGuessed ? " (a guess)" : ""}` : null],
    ["Sheet", sheet],
    ["Header", headerRow ? `row ${number(headerRow)}` : null],
    ["Decimals", SEPARATORS[decimal] ?? decimal],
  ];
}

/** Header → column, with those that are not imported. */
function columns({ header = [], columns: fed = [] }) {
  if (header.length === 0) return "";
  const used = fed.filter((column) => column !== null && column !== undefined).length;
  const rows = header.map((cell, index) => {
    const column = fed[index];
    const shown = column ? el("code", {}, column) : el("span", { class: "muted" }, "not imported");
    return el("tr", {}, el("td", {}, cell || el("span", { class: "muted" }, "no name")), el("td", {}, shown));
  });
  const head = el("tr", {}, el("th", { scope: "col" }, "Header of the file"), el("th", { scope: "col" }, "Column"));
  return el(
    "details", {},
    el("summary", {}, `${number(used)} of ${number(header.length)} columns used`),
    el("div", { class: "scroll" }, el("table", {}, el("thead", {}, head), el("tbody", {}, rows))),
  );
}

function options(given) {
  return Object.entries(given).map(([name, value]) => {
    const text = typeof value === "object" ? JSON.stringify(value) : String(value);
    const isUsual = !(name in USUAL) ? value === null : USUAL[name] === value;
    return [el("code", {}, name), isUsual ? text : el("b", {}, text)];
  });
}

function times(job) {
  return [
    ["Uploaded", moment(job.createdAt)],
    ["Started", job.startedAt ? moment(job.startedAt) : null],
    ["Ended", job.completedAt ? moment(job.completedAt) : null],
    ["Files removed", job.filesRemovedAt ? moment(job.filesRemovedAt) : null],
    ["SHA-256", job.sha256 ? el("code", { class: "checksum" }, job.sha256) : null],
  ];
}

function list(pairs) {
  const known = pairs.filter(([, value]) => value !== null && value !== undefined);
  return el("dl", { class: "facts" }, known.map(([term, value]) => el("div", {}, el("dt", {}, term), el("dd", {}, value))));
}

customElements.define("job-facts", JobFacts);

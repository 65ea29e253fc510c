// The calls of the API: takes the envelope off, turns refusals into `Problem` and silence into
// `NoAnswer`, and knows whether the server is there at all and whether it asks for a key. Knows no element
// of the page.
// All addresses are relative to the `<base>` of the page, which may lie below a path.

/**
 * What the server answers: a schema of its description.
 * @template {import('./types/api').SchemaName} Name
 * @typedef {import('./types/api').Schema<Name>} Schema
 */

/** A refusal of the API. `message` is the sentence for people (`detail`). */
export class Problem extends Error {
  constructor(status, body) {
    const said = body.detail || body.title || `The server answered ${status}.`;
    // A fault of the server stands in its log under this number.
    super(status >= 500 && body.requestId ? `${said} (Request ${body.requestId})` : said);
    this.name = "Problem";
    this.status = status;
    this.code = body.code ?? "";
    this.errors = body.errors ?? [];
    /** Of an upload of which every file was refused: why, file by file. */
    this.files = body.files ?? [];
    /** Of a definition with faults: `{ line, key, message }` of each. */
    this.faults = body.faults ?? [];
  }
}

/** Nothing came back: the server is gone or the network is. The call makes sense again at `server`'s "back". */
export class NoAnswer extends Error {
  /** When the call makes sense again. */
  again = "Try again when it is back.";

  constructor(message = "The server does not answer.") {
    super(message);
    this.name = "NoAnswer";
  }
}

/** The server answers only who signs in; nothing was done. */
export class KeyNeeded extends NoAnswer {
  again = "Then try again.";

  constructor() {
    super("The server asks for a key. Sign in.");
    this.name = "KeyNeeded";
  }
}

/** Asked again this often while nothing answers; the last one for as long as it takes. */
const PAUSES = [500, 1000, 2000, 3000];

/**
 * Is the server there? `gone` and the events "gone" and "back". Whoever gets no answer calls
 * `lost()`; then the server is asked until it answers again.
 * Does it ask for a key? `isLocked` and the events "locked" and "unlocked", which "back" follows: calls
 * make sense again.
 */
class Reachable extends EventTarget {
  gone = false;
  isLocked = false;
  #timer;
  #asked = 0;

  lock() {
    if (this.isLocked) return;
    this.isLocked = true;
    this.dispatchEvent(new Event("locked"));
  }

  unlock() {
    this.isLocked = false;
    this.dispatchEvent(new Event("unlocked"));
    this.dispatchEvent(new Event("back"));
  }

  lost() {
    if (this.gone) return;
    this.gone = true;
    this.#asked = 0;
    this.dispatchEvent(new Event("gone"));
    this.#later();
  }

  /** Asks now: true when the server answers. */
  async check() {
    clearTimeout(this.#timer);
    const answers = await fetch("healthz", { cache: "no-store" }).then(() => true, () => false);
    if (answers && this.gone) {
      this.gone = false;
      this.dispatchEvent(new Event("back"));
    } else if (!answers) {
      if (this.gone) this.#later();
      else this.lost();
    }
    return answers;
  }

  #later() {
    clearTimeout(this.#timer);
    const pause = PAUSES[Math.min(this.#asked, PAUSES.length - 1)];
    this.#asked += 1;
    this.#timer = setTimeout(() => this.check(), pause);
  }
}

export const server = new Reachable();

/**
 * `data` of an answer. Throws `Problem`, `NoAnswer`, or the signal's `AbortError`.
 * @param {string} method
 * @param {string} path
 * @param {{ signal?: AbortSignal, body?: BodyInit, json?: unknown, key?: string }} [sending]
 */
export async function call(method, path, { signal, body, json, key } = {}) {
  let answer;
  let text;
  const headers = { Accept: "application/json", ...(json && { "Content-Type": "application/json" }), ...(key && { "Idempotency-Key": key }) };
  try {
    answer = await fetch(path, { method, signal, body: json ? JSON.stringify(json) : body, cache: "no-store", headers });
    text = await answer.text();
  } catch (fault) {
    if (fault.name === "AbortError") throw fault;
    server.lost();
    throw new NoAnswer();
  }
  return unwrapped(answer.status, text);
}

function unwrapped(status, text) {
  const body = parsed(text);
  if (status >= 200 && status < 300) return body?.data;
  if (body?.code === "key_required") {
    server.lock();
    throw new KeyNeeded();
  }
  throw new Problem(status, body ?? {});
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export function get(path, signal) {
  return call("GET", path, { signal });
}

/** An address with its query; what is `null`, `undefined` or empty is left out. */
export function address(path, parameters = {}) {
  const given = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const query = new URLSearchParams(given).toString();
  return query ? `${path}?${query}` : path;
}

/**
 * A link of an answer as an address of the page. The page knows by itself below which path it lies; the
 * server may not have been told.
 */
export function linked(link) {
  return link.slice(link.indexOf("api/v1/"));
}

const SESSION = "api/v1/session";

/**
 * `{ needsKey, signedIn, withSession, name, scopes, datasets }`
 * @returns {Promise<Schema<"SessionView">>}
 */
export function session() {
  return get(SESSION);
}

/** Signs in with a key. What the browser holds then no script can read. */
export async function signIn(key) {
  try {
    await call("POST", SESSION, { json: { key } });
  } catch (fault) {
    if (!(fault instanceof KeyNeeded)) throw fault;
    throw new Problem(401, { detail: "The key opens nothing: the server does not know it, or it was revoked or has expired." });
  }
  if (!(await session()).signedIn) {
    throw new Problem(401, { detail: "The browser does not keep the session: it needs https, except on the machine of the server." });
  }
  server.unlock();
}

/** @returns {Promise<Schema<"SessionView">>} */
export function signOut() {
  return call("DELETE", SESSION);
}

const JOBS = "api/v1/import/jobs";

/**
 * `{ jobs, nextCursor }`; filter: status, dataset, withErrors, of, cursor, limit.
 * @returns {Promise<Schema<"JobPage">>}
 */
export function jobs(filter, signal) {
  return get(address(JOBS, filter), signal);
}

/**
 * The newest jobs that import rows of a job again or roll it back, the oldest of them first.
 * @returns {Promise<Schema<"JobView">[]>}
 */
export async function children({ links }, signal) {
  return (await get(linked(links.children), signal)).jobs.reverse();
}

/** @returns {Promise<Schema<"JobView">>} */
export function job(id, signal) {
  return get(`api/v1/import/status/${encodeURIComponent(id)}`, signal);
}

/**
 * What a job's `actions` name: `act(123, "cancel")` gives the job as it is then, "retry" and
 * "rollback" the job that was made. `wishes`: of "retry" `{ rows: "all" | "failed" | "unprocessed" }`;
 * `key` makes sure that a second attempt after a lost answer makes no second job.
 * @returns {Promise<Schema<"JobView">>}
 * @param {number | string} id
 * @param {string} action
 * @param {{ wishes?: object, key?: string }} [asking]
 */
export function act(id, action, { wishes, key } = {}) {
  return call("POST", `${JOBS}/${encodeURIComponent(id)}/${encodeURIComponent(action)}`, { json: wishes, key });
}

/**
 * Gives the job as it is then; a higher priority goes first.
 * @returns {Promise<Schema<"JobView">>}
 */
export function setPriority(id, priority) {
  return act(id, "priority", { wishes: { priority } });
}

/**
 * Deletes a job that is over, with all that is kept of it.
 * @returns {Promise<Schema<"JobView">>}
 */
export function forget(id) {
  return call("DELETE", `${JOBS}/${encodeURIComponent(id)}`);
}

/** Why the server does not give a file, as a `Problem` or `NoAnswer`; `null` when it does. */
export async function refusal(path) {
  try {
    const answer = await fetch(path, { method: "HEAD", cache: "no-store" });
    if (answer.ok) return null;
    // Only an answer with a body says why.
    await get(path);
    return null;
  } catch (fault) {
    if (fault instanceof Problem || fault instanceof NoAnswer) return fault;
    server.lost();
    return new NoAnswer();
  }
}

const BULKS = "api/v1/import/bulks";

/**
 * Files that were uploaded together: the bulk with its `jobs`, one entry a file.
 * @returns {Promise<Schema<"BulkView">>}
 */
export function bulk(id, signal) {
  return get(`${BULKS}/${encodeURIComponent(id)}`, signal);
}

/**
 * What a bulk's `actions` name: "cancel" gives the bulk as it is then, "retry" the one that was made.
 * @returns {Promise<Schema<"BulkView">>}
 * @param {number | string} id
 * @param {string} action
 * @param {{ wishes?: object, key?: string }} [asking]
 */
export function actOnBulk(id, action, { wishes, key } = {}) {
  return call("POST", `${BULKS}/${encodeURIComponent(id)}/${encodeURIComponent(action)}`, { json: wishes, key });
}

/** The address of the events of a bulk and of all its jobs. */
export function bulkEventsPath(id) {
  return `${BULKS}/${encodeURIComponent(id)}/events`;
}

/**
 * `{ errors, total, stored, truncated, nextCursor }`; filter: cursor, limit.
 * @returns {Promise<Schema<"RowErrorPage">>}
 */
export function rowErrors(id, filter, signal) {
  return get(address(`${JOBS}/${encodeURIComponent(id)}/errors`, filter), signal);
}

/**
 * `{ groups, total }`.
 * @returns {Promise<Schema<"ErrorGroupList">>}
 */
export function errorGroups(id, signal) {
  return get(`${JOBS}/${encodeURIComponent(id)}/errors/groups`, signal);
}

/**
 * `{ superseded, total, nextCursor }`; filter: cursor, limit.
 * @returns {Promise<Schema<"SupersededPage">>}
 */
export function superseded(id, filter, signal) {
  return get(address(`${JOBS}/${encodeURIComponent(id)}/superseded`, filter), signal);
}

/**
 * `{ differences, total, stored, nextCursor }` of a dry run; filter: cursor, limit.
 * @returns {Promise<Schema<"DifferencesPage">>}
 */
export function differences(id, filter, signal) {
  return get(address(`${JOBS}/${encodeURIComponent(id)}/diff`, filter), signal);
}

/** The address of a job's events; see stream.js. */
export function eventsPath(id) {
  return `${JOBS}/${encodeURIComponent(id)}/events`;
}

/** @returns {Promise<Schema<"DatasetList">["datasets"]>} */
export async function datasets(signal) {
  return (await get("api/v1/datasets", signal)).datasets;
}

/** @returns {Promise<Schema<"DatasetView">>} */
export function dataset(name, signal) {
  return get(`api/v1/datasets/${encodeURIComponent(name)}`, signal);
}

/**
 * `{ names, more }`: stored names that contain `search` and that the cells of a column may mean.
 * @returns {Promise<Schema<"StoredNames">>}
 */
export function referenceNames(name, column, search, signal) {
  return get(address(`api/v1/datasets/${encodeURIComponent(name)}/references`, { column, search }), signal);
}

/**
 * `{ tables, more, canSave }`: what definitions can be made from.
 * @returns {Promise<Schema<"TablesView">>}
 */
export function tables(signal) {
  return get("api/v1/tables", signal);
}

/**
 * A proposal of a definition from `{ table, key }`: `{ proposal, definition, candidates, exists, canSave }`.
 * @returns {Promise<Schema<"InferView">>}
 */
export function infer(wanted, signal) {
  return call("POST", "api/v1/datasets/infer", { json: wanted, signal });
}

/**
 * The same from all rows of a file, of which nothing is kept.
 * @returns {Promise<Schema<"InferView">>}
 */
export function inferFile(file, signal) {
  return call("POST", "api/v1/datasets/infer", { body: form([file]), signal });
}

/**
 * Saves a proposal; wishes: `{ overwrite, dryRun }`.
 * @returns {Promise<Schema<"SavedView">>}
 */
export function saveDataset(proposal, wishes) {
  return call("PUT", address(`api/v1/datasets/${encodeURIComponent(proposal.name || "-")}`, wishes), { json: proposal });
}

/** A file of the server as text. */
export async function text(path, signal) {
  let answer;
  let body;
  try {
    answer = await fetch(path, { signal, cache: "no-store" });
    body = await answer.text();
  } catch (fault) {
    if (fault.name === "AbortError") throw fault;
    server.lost();
    throw new NoAnswer();
  }
  return answer.ok ? body : unwrapped(answer.status, body);
}

/**
 * `{ maxUploadBytes, extensions, chunkRows, stuckAfterSeconds }`.
 * @returns {Promise<Schema<"LimitsView">>}
 */
export function limits(signal) {
  return get("api/v1/limits", signal);
}

/**
 * What the file would be read as; nothing is kept. Options: name → text.
 * @returns {Promise<Schema<"PreviewView">>}
 */
export function preview(name, file, options, signal) {
  const path = `api/v1/import/${encodeURIComponent(name)}/preview`;
  return call("POST", path, { signal, body: form([file], options) });
}

/**
 * Uploads files; gives `{ jobId, … }` of one and `{ bulkId, … }` of several or of an archive.
 * `sent(bytes)` is called with how far it is, `key` makes sure that a second attempt after a lost answer
 * does not import the files twice.
 * @param {string} name
 * @param {File[]} files
 * @param {object} options
 * @param {{ sent?: (bytes: number) => void, signal?: AbortSignal, key?: string }} [sending]
 */
export function send(name, files, options, { sent, signal, key } = {}) {
  const all = files.reduce((bytes, file) => bytes + file.size, 0);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const aborted = () => reject(new DOMException("The upload was cancelled.", "AbortError"));
    if (signal?.aborted) return aborted();
    request.open("POST", `api/v1/import/${encodeURIComponent(name)}`);
    request.setRequestHeader("Accept", "application/json");
    if (key) request.setRequestHeader("Idempotency-Key", key);
    request.upload.onprogress = (event) => sent?.(Math.min(event.loaded, all));
    request.upload.onload = () => sent?.(all);
    request.onload = () => {
      try {
        resolve(unwrapped(request.status, request.responseText));
      } catch (problem) {
        reject(problem);
      }
    };
    request.onerror = async () => {
      const detail = "The upload broke off: the connection was lost, or the file changed on disk. Choose it again, or send it once more.";
      reject((await server.check()) ? new Problem(0, { detail }) : new NoAnswer());
    };
    request.onabort = aborted;
    signal?.addEventListener("abort", () => request.abort(), { once: true });
    request.send(form(files, options));
  });
}

/**
 * Imports the file at an address, as `send` a file that is at hand.
 * @param {string} name
 * @param {string} url
 * @param {object} options
 * @param {{ signal?: AbortSignal, key?: string }} [sending]
 */
export function sendFrom(name, url, options, { signal, key } = {}) {
  const path = `api/v1/import/${encodeURIComponent(name)}`;
  return call("POST", path, { signal, key, json: { ...options, url } });
}

/** The options stand before the files, so that a wrong one is refused before they are read. */
function form(files, options) {
  const body = new FormData();
  for (const [name, value] of Object.entries(options ?? {})) body.append(name, value);
  for (const file of files) body.append("file", file, file.name);
  return body;
}

/** A key for `send` and `act`: 128 random bits; also where pages have no `crypto.randomUUID`. */
export function uploadKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

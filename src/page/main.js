// The page as a whole: which elements an address shows, the title and icon of the browser's tab, and
// the word that the server is gone. Knows the elements by their tags, not what is in them.
//
// Elements speak to it by events that bubble:
//   "go"       detail: an address such as "jobs/12" or "bulks/0b7c…", which is shown without loading the page again
//   "watched"  detail: the job that title and icon follow (as in its status; `word` instead of its status), or null
//   "announce" detail: a sentence for those who hear the page instead of seeing it
// and to each other by events on the document: "deleted", detail: the number of a job that is no more;
// "dataset-made", detail: `{ name, file }` of a dataset that was saved and of the file that it was made from.
// Main speaks to them by "address" on the window: the address changed while the element stays.
// Links to addresses of the page are followed without loading it again.

import { server, session, signOut } from "./api.js";
import { el, isLive, percent, put, statusWord } from "./text.js";
import "./sign-in.js";
import "./upload-card.js";
import "./job-list.js";
import "./job-page.js";
import "./bulk-page.js";
import "./dataset-maker.js";
import "./dataset-page.js";

const NAME = "Loadbay";
const ICON = "page/favicon.svg";

const PAGES = /^(job|bulk|dataset)s\/([\w-]+)$/;
const NEW_DATASET = "new-dataset";

const main = document.getElementById("main");
const icon = document.querySelector("link[rel=icon]");
const offline = document.getElementById("offline");

/** Stays while a job is looked at: its uploads go on. */
const home = el("div", { class: "stack" }, el("upload-card"), el("job-list"));

/** The path below which the page lies; it ends with a slash. */
const base = new URL(document.baseURI).pathname;

/** The element of an address and what it shows: `["job-page", "job", "12"]`, or nothing. */
function pageOf(path) {
  const rest = path.startsWith(base) ? path.slice(base.length) : "";
  if (rest === NEW_DATASET) return ["dataset-maker", "made", "new"];
  const [, kind, id] = PAGES.exec(rest) ?? [];
  // `dataset` is no plain attribute of an element.
  return kind && [`${kind}-page`, kind === "dataset" ? "name" : kind, id];
}

function show() {
  const [tag, name, id] = pageOf(location.pathname) ?? [];
  if (id) {
    const shown = main.querySelector(`:scope > ${tag}`);
    if (shown?.getAttribute(name) === id) return;
    watch(null);
    main.replaceChildren(el(tag, { [name]: id }));
  } else if (home.isConnected) {
    window.dispatchEvent(new Event("address"));
  } else {
    watch(null);
    main.replaceChildren(home);
  }
}

function go(address) {
  const elsewhere = new URL(address, document.baseURI).pathname !== location.pathname;
  history.pushState(null, "", address);
  show();
  if (!elsewhere) return;
  scrollTo(0, 0);
  main.focus({ preventScroll: true });
}

function isOfThePage(url) {
  return url.origin === location.origin && (url.pathname === base || Boolean(pageOf(url.pathname)));
}

document.addEventListener("click", (event) => {
  const link = /** @type {HTMLAnchorElement} */ (/** @type {Element} */ (event.target).closest?.("a[href]"));
  const isPlain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
  if (!link || !isPlain || event.defaultPrevented || link.target || link.hasAttribute("download")) return;
  const url = new URL(link.href);
  if (link.getAttribute("href") === "#main") {
    // Relative to the base it would lead to another page.
    event.preventDefault();
    main.focus();
    return;
  }
  if (!isOfThePage(url) || url.hash) return;
  event.preventDefault();
  go(url.pathname + url.search);
});
document.addEventListener("go", (event) => go(event.detail));
window.addEventListener("popstate", show);

// ── The browser's tab ────────────────────────────────────────────────────────────────────────────

const TONES = { processing: "#2f6bea", pending: "#8793a2", paused: "#8a5fd6", completed: "#2c9a5e", failed: "#d2453c", cancelled: "#8793a2" };

function watch(job) {
  if (!job) {
    document.title = NAME;
    setIcon(ICON);
    return;
  }
  const share = percent(job.progress.percentage);
  const word = job.word ?? { processing: share, paused: `Paused at ${share}` }[job.status] ?? statusWord(job);
  document.title = `${word} · ${job.fileName} – ${NAME}`;
  setIcon(ring(isLive(job) ? job.progress.percentage : 100, TONES[job.status] ?? TONES.pending));
}

function setIcon(address) {
  if (icon.getAttribute("href") !== address) icon.setAttribute("href", address);
}

/** A ring that is filled as far as the job is. */
function ring(percentage, colour) {
  const around = 2 * Math.PI * 12;
  const done = (around * Math.min(100, Math.floor(percentage))) / 100;
  const circle = `cx="16" cy="16" r="12" fill="none" stroke-width="7"`;
  const drawing = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">` +
    `<circle ${circle} stroke="${colour}" stroke-opacity=".25"/>` +
    `<circle ${circle} stroke="${colour}" stroke-dasharray="${done.toFixed(1)} ${around.toFixed(1)}" transform="rotate(-90 16 16)"/></svg>`;
  return `data:image/svg+xml,${encodeURIComponent(drawing)}`;
}

document.addEventListener("watched", (event) => watch(event.detail));

// ── Words for screen readers, and for everybody when the server is gone ──────────────────────────

document.addEventListener("announce", (event) => put(document.getElementById("announce"), event.detail));

server.addEventListener("gone", () => { offline.hidden = false; });
server.addEventListener("back", () => { offline.hidden = true; });
offline.querySelector("button").addEventListener("click", () => server.check());

// ── Who looks at the page, where the server has keys ─────────────────────────────────────────────

const who = document.getElementById("who");

/** Above the page, so that what was chosen in it stays. */
server.addEventListener("locked", () => {
  who.hidden = true;
  document.body.append(el("sign-in"));
});
server.addEventListener("unlocked", () => {
  document.querySelector("sign-in")?.remove();
  greet();
});

async function greet() {
  // A server that is away says so elsewhere.
  const { needsKey, withSession, name, scopes } = await session().catch(() => /** @type {any} */ ({}));
  who.hidden = !(needsKey && name);
  put(who.querySelector("span"), `${name} (${scopes?.join(", ")})`);
  // A key that a proxy adds stays.
  who.querySelector("button").hidden = !withSession;
}

who.querySelector("button").addEventListener("click", () => signOut().then(() => location.reload(), () => {}));

greet();

show();

// <job-log>: the lines of a job like a terminal. Owns what is on the screen of them: the window of
// lines that can be seen, following the end, the filter, copying. Knows no address and no job.

import { el, number, put } from "./text.js";
import { KINDS, LogLines, timeOfDay } from "./log-lines.js";

/** The height of a line in pixels, as in job.css: only so can a line be found by its place. */
const LINE = 20;
/** Lines that are ready above and below what can be seen. */
const SPARE = 12;
/** A reader hears of new lines at most this often. */
const TELL_MILLIS = 6000;

class JobLog extends HTMLElement {
  #lines = new LogLines();
  #kinds = new Set();
  #words = [];

  #following = true;
  /** Lines that came since the reader left the end. */
  #unread = 0;
  #lastTop = 0;
  #waiting = false;
  #nodes = [];

  #untold = 0;
  #untoldErrors = 0;
  #telling = null;
  #last = "";

  #chips = new Map();
  #search = el("input", {
    type: "search", placeholder: "Filter", "aria-label": "Filter the lines by words", spellcheck: "false", autocomplete: "off",
    oninput: () => this.#filter(),
    onkeydown: (event) => event.key === "Escape" && this.#clearSearch(event),
  });
  #copy = el("button", { type: "button", class: "button compact", onclick: () => this.#copyAll() }, "Copy");
  #window = el("div", { class: "window" });
  #canvas = el("div", { class: "canvas" }, this.#window);
  // The lines are built anew while one scrolls, so they are not live themselves; #told speaks.
  #view = el(
    "div",
    { class: "view", role: "log", "aria-live": "off", "aria-label": "Log of the job", tabindex: "0", onscroll: () => this.#scrolled() },
    this.#canvas,
  );
  #follow = el("button", { type: "button", class: "follow", hidden: true, onclick: () => this.follow() });
  #empty = el("p", { class: "nothing muted" });
  #told = el("p", { class: "visually-hidden", role: "status", "aria-live": "polite" });
  #count = el("span", { class: "count muted small" });
  #more = el("span", { class: "extra" });
  #resized = new ResizeObserver(() => this.#soon());

  connectedCallback() {
    this.#resized.observe(this.#view);
    if (this.firstChild) return;
    for (const [kind, word] of KINDS) this.#chips.set(kind, this.#chip(kind, word));
    this.append(
      el("header", { class: "spread" }, el("div", { class: "row" }, el("h2", {}, "Log"), this.#count), this.#more),
      el(
        "div", { class: "tools" },
        el("div", { class: "chips", role: "group", "aria-label": "Show only these lines" }, [...this.#chips.values()]),
        el("div", { class: "find" }, this.#search, this.#copy),
      ),
      el("div", { class: "terminal" }, this.#view, this.#empty, this.#follow),
      this.#told,
    );
    this.#soon();
  }

  disconnectedCallback() {
    this.#resized.disconnect();
    clearTimeout(this.#telling);
    this.#telling = null;
  }

  /** A place for what belongs beside the heading. */
  get extra() {
    return this.#more;
  }

  /** Adds a line of log-lines.js; only news are told to those who hear the page. */
  push(line, isNews) {
    const before = this.#lines.length;
    const gone = this.#lines.push(line);
    if (gone > 0 && !this.#following) this.#view.scrollTop -= gone * LINE;
    if (!this.#following) this.#unread += Math.max(0, this.#lines.length + gone - before);
    if (isNews) this.#tell(line);
    this.#soon();
  }

  /** Takes all lines away, for a replay. */
  clear() {
    this.#lines.clear();
    this.#unread = 0;
    this.#following = true;
    this.#soon();
  }

  /** Goes to the end and stays there. */
  follow() {
    const hadFocus = document.activeElement === this.#follow;
    this.#following = true;
    this.#unread = 0;
    this.#draw();
    if (hadFocus) this.#view.focus({ preventScroll: true });
  }

  #chip(kind, word) {
    const pressed = () => {
      if (!this.#kinds.delete(kind)) this.#kinds.add(kind);
      this.#filter();
    };
    const chip = el("button", { type: "button", class: `chip ${kind}`, "aria-pressed": "false", hidden: true, onclick: pressed });
    chip.append(el("span", { class: "dot", "aria-hidden": "true" }), word, " ", el("span", { class: "label" }));
    return chip;
  }

  #clearSearch(event) {
    if (!this.#search.value) return;
    event.preventDefault();
    this.#search.value = "";
    this.#filter();
  }

  #filter() {
    this.#words = this.#search.value.toLowerCase().split(/\s+/).filter(Boolean);
    this.#lines.filter(this.#kinds, this.#words);
    this.#unread = 0;
    // What the reader looked for may stand anywhere; the end is where the newest of it stands.
    this.#following = true;
    this.#soon();
  }

  /** Drawing waits for the next frame, so that a thousand lines cost as much as one. */
  #soon() {
    if (this.#waiting) return;
    this.#waiting = true;
    requestAnimationFrame(() => {
      this.#waiting = false;
      if (this.isConnected) this.#draw();
    });
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#view;
    if (scrollHeight - scrollTop - clientHeight < LINE) {
      this.#following = true;
      this.#unread = 0;
    } else if (scrollTop < this.#lastTop - 1) {
      // Only a reader goes up; lines that come make the end go away from the place, too.
      this.#following = false;
    }
    this.#lastTop = scrollTop;
    this.#soon();
  }

  #draw() {
    const { length } = this.#lines;
    this.#canvas.style.height = `${length * LINE}px`;
    if (this.#isSelecting()) this.#following = false;
    if (this.#following) this.#view.scrollTop = this.#view.scrollHeight;
    this.#lastTop = this.#view.scrollTop;
    const first = Math.max(0, Math.floor(this.#lastTop / LINE) - SPARE);
    const last = Math.min(length, Math.ceil((this.#lastTop + this.#view.clientHeight) / LINE) + SPARE);
    this.#window.style.translate = `0 ${first * LINE}px`;
    this.#fill(first, Math.max(0, last - first));
    this.#tools(length);
  }

  /** Nobody's selection is pulled away under the mouse. */
  #isSelecting() {
    const selection = document.getSelection();
    return !selection.isCollapsed && this.#window.contains(selection.anchorNode);
  }

  #fill(first, wanted) {
    while (this.#nodes.length < wanted) {
      const node = lineNode();
      this.#nodes.push(node);
      this.#window.append(node.line);
    }
    for (const node of this.#nodes.splice(wanted)) node.line.remove();
    this.#nodes.forEach((node, index) => show(node, this.#lines.at(first + index)));
  }

  #tools(length) {
    const { total, dropped, filtered } = this.#lines;
    for (const [kind, chip] of this.#chips) {
      const count = this.#lines.count(kind);
      chip.hidden = count === 0 && !this.#kinds.has(kind);
      chip.setAttribute("aria-pressed", String(this.#kinds.has(kind)));
      put(chip.lastChild, number(count));
    }
    const all = dropped > 0 ? `the last ${number(total - dropped)} of ${number(total)} lines` : `${number(total)} ${total === 1 ? "line" : "lines"}`;
    put(this.#count, total === 0 ? "" : filtered ? `${number(length)} of ${all}` : all);
    this.#copy.disabled = length === 0;
    this.#empty.hidden = length > 0;
    put(this.#empty, total > 0 ? "No lines match the filter." : "No events yet.");
    this.#follow.hidden = this.#following;
    put(this.#follow, this.#unread > 0 ? `Follow · ${number(this.#unread)} new` : "Follow");
  }

  #tell(line) {
    this.#untold += 1;
    if (line.kind === "error") this.#untoldErrors += 1;
    this.#last = line.text;
    this.#telling ??= setTimeout(() => {
      const errors = this.#untoldErrors > 0 ? `, ${number(this.#untoldErrors)} of them errors` : "";
      const many = this.#untold === 1 ? "" : `${number(this.#untold)} new lines${errors}. Last: `;
      put(this.#told, many + this.#last);
      this.#untold = 0;
      this.#untoldErrors = 0;
      this.#telling = null;
    }, TELL_MILLIS);
  }

  async #copyAll() {
    const text = this.#lines.text();
    const done = await copied(text);
    put(this.#copy, done ? `Copied ${number(this.#lines.length)} ${this.#lines.length === 1 ? "line" : "lines"}` : "Could not copy");
    setTimeout(() => put(this.#copy, "Copy"), 2500);
  }
}

function lineNode() {
  const time = el("span", { class: "at" });
  const text = el("span", { class: "text" });
  const from = el("span", { class: "from" });
  return { line: el("div", { class: "line" }, time, text, from), time, text, from, shown: null };
}

/** A line never changes, so a node that shows it already is left alone. */
function show(node, line) {
  if (node.shown === line) return;
  node.shown = line;
  node.line.className = `line ${line.kind}${line.kind === "log" ? ` ${line.level}` : ""}`;
  if (line.step) node.line.dataset.step = line.step;
  else delete node.line.dataset.step;
  node.time.textContent = timeOfDay(line.at);
  node.text.textContent = line.text;
  node.from.textContent = line.row === null ? "" : `row ${line.row}`;
}

/** Pages that came over plain HTTP from another machine have no clipboard of their own. */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = el("textarea", { class: "visually-hidden", value: text });
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

customElements.define("job-log", JobLog);

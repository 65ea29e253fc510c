// <file-line>: a chosen file on its way: chosen, waiting, sending, checked by the server, sent, or
// refused with the reason. Knows no API.

import { progressBar } from "./progress-bar.js";
import { el, percent, sentence, size } from "./text.js";

/** Asks to be left out by "remove". `line.file` is the file; the rest is set by `show`. */
export class FileLine extends HTMLElement {
  file;
  /** chosen, waiting, sending, sent or refused. */
  state = "chosen";
  #bar = progressBar("Bytes sent");
  #words = el("p", { class: "words" });
  #remove = el("button", { class: "button plain compact", type: "button" }, "Remove");

  connectedCallback() {
    if (this.hasChildNodes()) return;
    this.#remove.setAttribute("aria-label", `Remove ${this.file.name}`);
    this.#remove.addEventListener("click", () => this.dispatchEvent(new Event("remove")));
    this.append(
      el("p", { class: "name", title: this.file.name }, this.file.name),
      el("p", { class: "muted small nowrap" }, size(this.file.size)),
      this.#remove, this.#bar, this.#words);
    this.#show("chosen", "");
  }

  choose() {
    this.#show("chosen", "");
  }

  wait() {
    this.#show("waiting", "Waiting for the files before it");
  }

  /** How many bytes are sent; the file is checked when all of them are. */
  send(bytes) {
    const all = this.file.size;
    if (bytes >= all) {
      this.#show("sending", "Sent; the server checks the file …");
      this.#bar.set(100, "sent");
      return;
    }
    this.#show("sending", `${percent((100 * bytes) / all)} · ${size(bytes)} of ${size(all)} sent`);
    this.#bar.set((100 * bytes) / all, `${size(bytes)} of ${size(all)} sent`);
  }

  /** What became of it: a job, or a bulk of an archive. */
  sent(jobId, bulkId) {
    const link = bulkId ? el("a", { href: `bulks/${bulkId}` }, "its bulk") : el("a", { href: `jobs/${jobId}` }, `job ${jobId}`);
    this.#show("sent", "Sent: ", link);
  }

  /** The reason as a sentence. */
  refuse(reason) {
    this.#show("refused", sentence(reason));
  }

  #show(state, ...words) {
    this.state = state;
    this.dataset.state = state;
    this.#bar.hidden = state !== "sending";
    this.#remove.hidden = state === "sending" || state === "waiting" || state === "sent";
    this.#words.hidden = words.flat().every((word) => word === "");
    this.#words.replaceChildren(...words.flat());
  }
}

customElements.define("file-line", FileLine);

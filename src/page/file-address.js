// <file-address>: a file that the server downloads itself: its address, whether only a changed one is
// imported, and why it was refused. Knows no API.

import { el, sentence } from "./text.js";

/** Sends "from" with `{ url, onlyIfChanged }`. */
class FileAddress extends HTMLElement {
  #url = el("input", { id: "address", type: "url", required: true, maxlength: 2000, placeholder: "https://supplier.example/prices.csv", autocomplete: "url", spellcheck: "false", "aria-describedby": "address-why" });
  #changed = el("input", { id: "only-if-changed", type: "checkbox" });
  #start = el("button", { id: "fetch", class: "button", type: "submit" }, "Import from address");
  #why = el("p", { id: "address-why", class: "small bad-text", role: "alert" });

  connectedCallback() {
    if (this.hasChildNodes()) return;
    this.append(el("form", { class: "address", novalidate: true, onsubmit: (event) => this.#submit(event) },
      el("label", { class: "label", for: "address" }, "Or the address of a file"),
      el("div", { class: "row" }, this.#url, this.#start),
      el("label", { class: "small check" }, this.#changed, "only if it has changed since the last import"),
      this.#why));
  }

  /** While one address is sent, no other is. */
  busy(isBusy) {
    this.#start.disabled = isBusy;
  }

  /** The job is there: the next address may come. */
  clear() {
    this.#url.value = "";
    this.refuse("");
  }

  /** The reason as a sentence. */
  refuse(reason) {
    this.#why.replaceChildren(...(reason ? sentence(reason) : []));
    if (reason) this.#url.focus();
  }

  #submit(event) {
    event.preventDefault();
    const url = this.#url.value.trim();
    this.refuse(url ? "" : "Type the address of a file.");
    if (!url) return;
    this.dispatchEvent(new CustomEvent("from", { detail: { url, onlyIfChanged: this.#changed.checked } }));
  }
}

customElements.define("file-address", FileAddress);

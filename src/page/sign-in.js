// <sign-in>: asks for a key in a dialog above the page, where the server needs one. The key goes to the
// server once; what the browser holds from then on no script can read. Stays until somebody is signed in.

import { NoAnswer, Problem, server, signIn } from "./api.js";
import { busy } from "./ask-dialog.js";
import { el, put } from "./text.js";

class SignIn extends HTMLElement {
  #key = el("input", {
    id: "key", name: "key", type: "password", autocomplete: "current-password", required: true, spellcheck: "false", autofocus: true,
  });
  #fault = el("p", { class: "note bad", role: "alert", hidden: true });
  #go = el("button", { type: "submit", class: "button primary" }, "Sign in");

  connectedCallback() {
    const form = el(
      "form", { method: "dialog", class: "stack", onsubmit: (event) => this.#submit(event) },
      el("h2", { id: "sign-in-title" }, "Sign in"),
      el("p", {}, "This server needs a key. Its operator makes one with ", el("code", {}, "loadbay keys create"), "."),
      el("label", { class: "label", for: "key" }, "Key"),
      this.#key, this.#fault,
      el("div", { class: "row answers" }, this.#go),
    );
    const dialog = el("dialog", { class: "ask", "aria-labelledby": "sign-in-title" }, form);
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    // A browser may close it at a second Escape.
    dialog.addEventListener("close", () => this.isConnected && server.isLocked && dialog.showModal());
    this.replaceChildren(dialog);
    dialog.showModal();
  }

  async #submit(event) {
    event.preventDefault();
    if (this.#go.hasAttribute("aria-busy")) return;
    busy(this.#go, true);
    this.#say(null);
    try {
      await signIn(this.#key.value.trim());
    } catch (fault) {
      if (!(fault instanceof Problem || fault instanceof NoAnswer)) throw fault;
      this.#say(fault.message);
      this.#key.select();
    } finally {
      busy(this.#go, false);
    }
  }

  #say(sentence) {
    this.#fault.hidden = !sentence;
    put(this.#fault, sentence);
  }
}

customElements.define("sign-in", SignIn);

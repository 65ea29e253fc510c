// A field that finds one of many names by a part of it; the browser offers those that were found. Knows
// neither what the names are nor where they come from.

import { el, put } from "./text.js";

/** Who types is not asked for each letter. */
const PAUSE_MILLIS = 200;

export class NameSearch {
  #find;
  #took;
  #left;
  #found = [];
  #asked = 0;
  #asking = null;
  #offers;
  #field;
  #said = el("p", { class: "small", role: "status" });

  /**
   * `find`: gives names that contain a text. `took`: gets the name that was chosen. `left`: told at the end, with
   * or without a choice, whether the field had the focus then.
   */
  constructor({ id, label, find, took, left }) {
    this.#find = find;
    this.#took = took;
    this.#left = left;
    this.#offers = el("datalist", { id: `${id}-names` });
    this.#field = el("input", {
      id, type: "search", "aria-label": label, placeholder: "Part of a stored name", autocomplete: "off",
      list: `${id}-names`, spellcheck: "false", hidden: true,
      oninput: (event) => this.#typed(event), onkeydown: (event) => this.#pressed(event), onblur: () => this.#close(false),
    });
    this.element = el("div", { class: "name-search", hidden: true }, this.#field, this.#offers, this.#said);
  }

  open() {
    this.#field.value = "";
    this.#field.hidden = false;
    this.#say("");
    this.#field.focus();
    this.#look();
  }

  #say(words) {
    put(this.#said, words);
    this.element.hidden = this.#field.hidden && !words;
  }

  /** The name that was found and is written so, whatever its letter case. */
  #match() {
    const text = this.#field.value.trim();
    const small = text.toLowerCase();
    return this.#found.find((name) => name === text) ?? this.#found.find((name) => name.toLowerCase() === small);
  }

  #typed(event) {
    this.#say("");
    // One that is offered was taken; a letter that makes a name may be the beginning of a longer one.
    const isTaken = !(event instanceof InputEvent) || event.inputType === "insertReplacementText";
    if (isTaken && this.#found.includes(this.#field.value)) {
      this.#close(true);
      return;
    }
    clearTimeout(this.#asking);
    this.#asking = setTimeout(() => this.#look(), PAUSE_MILLIS);
  }

  #pressed(event) {
    if (event.key === "Escape") {
      event.preventDefault();
      this.#field.value = "";
      this.#close(true);
    } else if (event.key === "Enter") {
      // It must not send the form around it.
      event.preventDefault();
      this.#enter();
    }
  }

  async #enter() {
    clearTimeout(this.#asking);
    await this.#look();
    if (this.#field.hidden) return;
    if (this.#match() !== undefined) this.#close(true);
    else if (this.#field.value.trim()) this.#say(`No stored name is «${this.#field.value.trim()}». Choose one that is offered.`);
  }

  async #look() {
    const asked = (this.#asked += 1);
    try {
      const names = await this.#find(this.#field.value.trim());
      if (asked !== this.#asked) return;
      this.#found = names;
      this.#offers.replaceChildren(...names.map((name) => el("option", { value: name })));
    } catch (fault) {
      if (asked === this.#asked) this.#say(fault.message);
    }
  }

  /** What is no stored name is not taken, and a choice that was made before stays. */
  #close(hadFocus) {
    if (this.#field.hidden) return;
    clearTimeout(this.#asking);
    const [text, match] = [this.#field.value.trim(), this.#match()];
    this.#field.hidden = true;
    if (match !== undefined) this.#took(match);
    this.#say(match === undefined && text ? `No stored name is «${text}».` : "");
    this.#left(hadFocus);
  }
}

// <drop-zone>: where files come from: dropped anywhere on the page, or chosen. Knows nothing of what
// becomes of them.

import { el, put, svg } from "./text.js";

const ARROW = "M12 15V4m0 0L7.5 8.5M12 4l4.5 4.5M4 15v3a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2v-3";

/** Sends "files" with the files. While it is hidden it takes none. */
class DropZone extends HTMLElement {
  #ask = el("span");
  #takes = el("span", { id: "takes", class: "muted small takes" });
  #input = el("input", { id: "file", type: "file", multiple: true, class: "visually-hidden", "aria-describedby": "takes" });
  #label;

  connectedCallback() {
    if (!this.#label) this.#build();
    window.addEventListener("dragover", this.#over);
    window.addEventListener("drop", this.#dropped);
    window.addEventListener("dragleave", this.#left);
  }

  disconnectedCallback() {
    window.removeEventListener("dragover", this.#over);
    window.removeEventListener("drop", this.#dropped);
    window.removeEventListener("dragleave", this.#left);
  }

  #build() {
    this.#label = el("label", { id: "drop", class: "drop", for: "file" }, this.#input,
      svg("svg", { viewBox: "0 0 24 24", width: 28, height: 28, "aria-hidden": "true" }, svg("path", { d: ARROW })),
      el("span", { class: "ask" }, this.#ask, el("u", {}, "choose them")), this.#takes);
    this.append(this.#label);
    this.small(false);
    this.#input.addEventListener("change", () => {
      this.#give(this.#input.files);
      // The same file may be chosen again, after it was corrected.
      this.#input.value = "";
    });
  }

  /** What can be dropped: a sentence, and the extensions for the dialog. */
  take(words, extensions) {
    put(this.#takes, words);
    this.#input.accept = extensions.join(",");
  }

  /** Small once there are files: what matters then stands below. */
  small(isSmall) {
    this.#label?.classList.toggle("slim", isSmall);
    put(this.#ask, isSmall ? "Drop more files, or " : "Drop files here, or ");
  }

  focus() {
    this.#input.focus();
  }

  #give(files) {
    if (!this.hidden && files.length > 0) this.dispatchEvent(new CustomEvent("files", { detail: [...files] }));
  }

  #over = (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = this.hidden ? "none" : "copy";
    this.#label.classList.toggle("over", !this.hidden);
  };

  #left = (event) => {
    // Only when the pointer leaves the window; between two elements it stays on the page.
    if (!event.relatedTarget) this.#label.classList.remove("over");
  };

  #dropped = (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    this.#label.classList.remove("over");
    this.#give(event.dataTransfer.files);
  };
}

customElements.define("drop-zone", DropZone);

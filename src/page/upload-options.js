// <upload-options>: how a file is read and written, behind "More options". Knows the options of an
// upload with their defaults and meanings; gives only those that differ. Knows no file.

import { el } from "./text.js";

/**
 * name, label, meaning, and either choices (the first one is the default) or the kind of input.
 * @type {[string, object[]][]}
 */
const GROUPS = [
  ["What is written", [
    { name: "mode", label: "Mode", hint: "Which rows change the table.", choices: [["upsert", "Create and update"], ["insert", "Only create"], ["update", "Only update"], ["newer", "Only newer versions"], ["mirror", "Mirror: also remove what the file lacks"]] },
    { name: "scope", label: "Mirror: only records with", hint: "The records that the file is about, as JSON. Others are not removed.", placeholder: "{\"supplier\": \"ACME\"}" },
    { name: "mirrorMax", label: "Mirror: most removed", hint: "A number of records, or a share. When the file lacks more, nothing is removed.", placeholder: "10%" },
    { name: "blank", label: "Empty cells", hint: "What an empty cell does to the stored value.", choices: [["clear", "Clear the value"], ["keep", "Keep the value"]] },
    { name: "duplicates", label: "Same key twice", hint: "What happens to the earlier rows; the last one is written.", choices: [["last", "Last row wins"], ["error", "Earlier rows fail"]] },
    { name: "dryRun", label: "Dry run", hint: "Checks and counts all rows, stores nothing.", choices: [["false", "No, import"], ["true", "Yes, dry run"]] },
  ]],
  ["How the file is read", [
    { name: "delimiter", label: "Delimiter", hint: "The character between the cells of a text file.", choices: [["", "Detect"], [",", "Comma ,"], [";", "Semicolon ;"], ["tab", "Tab"], ["|", "Pipe |"]] },
    { name: "encoding", label: "Encoding", hint: "Of a text file, such as utf-8 or windows-1252.", placeholder: "detect", known: ["utf-8", "windows-1252", "iso-8859-15", "utf-16le", "macintosh", "windows-1251", "gbk", "shift_jis"] },
    { name: "decimal", label: "Decimal separator", hint: "How the file writes numbers.", choices: [["", "Detect"], ["point", "Point: 1,234.56"], ["comma", "Comma: 1.234,56"]] },
    { name: "dates", label: "Dates", hint: "The order of day, month and year.", choices: [["", "Detect"], ["dmy", "Day first: 22/11/2026"], ["mdy", "Month first: 11/22/2026"], ["ymd", "Year first: 2026/11/22"]] },
    { name: "currency", label: "Currencies and units", hint: "What a sign or unit beside a number does, such as $4.99 or 5 pcs.", choices: [["refuse", "Report the row"], ["strip", "Take it off"]] },
    { name: "nulls", label: "Words for no value", hint: "Cells with nothing but one of these words are empty.", placeholder: "NULL, \\N, nan, None, N/A" },
    { name: "saveMapping", label: "Remember headers as", hint: "A name. The next file with these headers is read in the same way.", placeholder: "not remembered" },
    { name: "savedMapping", label: "Saved mapping", hint: "The name of one that was remembered.", placeholder: "that of the headers" },
    { name: "sheet", label: "Sheet", hint: "Of a workbook.", placeholder: "detect" },
    { name: "headerRow", label: "Header row", hint: "The row with the column names.", number: [1, 1000], placeholder: "detect" },
    { name: "hidden", label: "Hidden rows and columns", hint: "Of a workbook.", choices: [["import", "Import"], ["skip", "Leave out"]] },
  ]],
  ["How the job runs", [
    { name: "onError", label: "Bad rows", hint: "What the first bad row does to the job.", choices: [["continue", "Report and continue"], ["abort", "Stop the job"]] },
    { name: "atomic", label: "All or nothing", hint: "A bad row undoes all others. Up to 50,000 rows.", choices: [["false", "No"], ["true", "Yes"]] },
    { name: "maxErrors", label: "Maximum bad rows", hint: "The job stops when there are more: a number, or a share such as 5%.", placeholder: "no limit" },
    { name: "rows", label: "Log each row", hint: "Small files have up to 10,000 rows.", choices: [["auto", "In small files"], ["all", "Always"], ["none", "Never"]] },
    { name: "undo", label: "Allow undo", hint: "Stores former values, so that the import can be rolled back.", choices: [["false", "No"], ["true", "Yes"]] },
    { name: "priority", label: "Priority", hint: "Jobs with a higher priority start first.", number: [-100, 100], placeholder: "0" },
  ]],
];

/** Options that change what the preview shows. */
const SEEN_IN_PREVIEW = ["mode", "blank", "delimiter", "encoding", "decimal", "dates", "currency", "nulls", "savedMapping", "sheet", "headerRow", "hidden"];

/** Sends "options" with `detail.preview`: whether a preview would be another one now. */
class UploadOptions extends HTMLElement {
  #fields = new Map();
  #details;
  #changed = el("span", { class: "badge", hidden: true });

  connectedCallback() {
    if (this.#details) return;
    this.#details = el("details", { class: "options" },
      el("summary", {}, "More options ", this.#changed),
      GROUPS.map(([title, options]) => el("fieldset", {}, el("legend", {}, title),
        el("div", { class: "option-grid" }, options.map((option) => this.#field(option))))));
    this.append(this.#details);
  }

  /** What differs from the defaults: name → text. */
  values() {
    const given = {};
    for (const [name, { input, usual }] of this.#fields) {
      const value = input.value.trim();
      if (value !== usual && input.checkValidity()) given[name] = value;
    }
    return given;
  }

  /** Sets options as if somebody had chosen them: name → text; `""` is the default. */
  choose(wanted) {
    for (const [name, value] of Object.entries(wanted)) {
      const field = this.#fields.get(name);
      if (field) field.input.value = value || field.usual;
    }
    const changed = this.#fields.get(Object.keys(wanted)[0]);
    changed?.input.dispatchEvent(new Event("change"));
  }

  /** Offers a choice, or does not where it makes no sense. */
  offer(name, value, isOffered) {
    const field = this.#fields.get(name);
    const choice = [...(field?.input.options ?? [])].find((one) => one.value === value);
    if (!choice) return;
    choice.hidden = choice.disabled = !isOffered;
    if (!isOffered && field.input.value === value) this.choose({ [name]: "" });
  }

  /** The sentence about the first field that cannot be read, or nothing. */
  fault() {
    for (const { input, option } of this.#fields.values()) {
      if (!input.checkValidity()) return `${option.label}: ${input.validationMessage}`;
    }
    return null;
  }

  /** Opens the options at this one. */
  point(name) {
    this.#details.open = true;
    const input = this.#fields.get(name)?.input;
    input?.scrollIntoView({ block: "center", behavior: "smooth" });
    input?.focus({ preventScroll: true });
  }

  #field(option) {
    const id = `option-${option.name}`;
    const input = inputOf(option, id);
    this.#fields.set(option.name, { input, option, usual: option.choices?.[0][0] ?? "" });
    input.addEventListener("change", () => {
      const count = Object.keys(this.values()).length;
      this.#changed.hidden = count === 0;
      this.#changed.textContent = `${count} set`;
      const detail = { preview: SEEN_IN_PREVIEW.includes(option.name) };
      this.dispatchEvent(new CustomEvent("options", { detail }));
    });
    return el("div", { class: "field" }, el("label", { for: id }, option.label), input,
      option.known && el("datalist", { id: `${id}-known` }, option.known.map((value) => el("option", { value }))),
      el("p", { class: "hint", id: `${id}-hint` }, option.hint));
  }
}

function inputOf(option, id) {
  const shared = { id, name: option.name, "aria-describedby": `${id}-hint` };
  if (option.choices) {
    return el("select", shared, option.choices.map(([value, words]) => el("option", { value }, words)));
  }
  const text = { ...shared, placeholder: option.placeholder, autocomplete: "off", spellcheck: "false" };
  if (!option.number) return el("input", { ...text, type: "text", list: option.known && `${id}-known` });
  const [min, max] = option.number;
  return el("input", { ...text, type: "number", min, max, step: 1 });
}

customElements.define("upload-options", UploadOptions);

// Warnings in their own words, for the preview of a file and for a job. Knows which option of an
// upload settles which warning; knows no address.

import { counted, el, sentence } from "./text.js";

/** The option that changes what a warning is about. */
const SETTLED_BY = {
  encoding_guessed: "encoding",
  mixed_encoding: "encoding",
  header_found: "headerRow",
  joined_headers: "headerRow",
  other_sheets: "sheet",
  hidden_rows: "hidden",
  hidden_columns: "hidden",
  null_words: "nulls",
  dates_derived: "dates",
  currency_stripped: "currency",
};

/** More warnings than this are folded away. */
const FOLDED_FROM = 6;

/**
 * A list of warnings as the API gives them, or nothing. With `settle`, a warning that an option
 * settles has a button that calls it with the name of the option.
 */
export function warningList(warnings, settle = null) {
  if (!warnings?.length) return null;
  const items = warnings.map((warning) => {
    const option = settle && SETTLED_BY[warning.code];
    return el("li", { class: "warning", title: warning.code },
      el("span", {}, sentence(warning.message)),
      option && el("button", { class: "button compact", type: "button", onclick: () => settle(option) }, "Change"));
  });
  return el("details", { class: "warnings", open: warnings.length < FOLDED_FROM },
    el("summary", {}, el("strong", {}, counted(warnings.length, "warning"))), el("ul", {}, items));
}

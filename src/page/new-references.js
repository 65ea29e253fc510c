// <new-references>: records of other tables that an import would create because the file names them, each
// beside the name that is there and most like it. Which name is meant is chosen here. Knows no API.

import { NameSearch } from "./name-search.js";
import { counted, el, number } from "./text.js";

/** The choice that looks for another name; no name is so. */
const OTHER = "\n";

class NewReferences extends HTMLElement {
  #chosen = {};
  #find = null;

  connectedCallback() {
    if (!this.firstChild) this.hidden = true;
  }

  /** Column → name in the file → name of the record that is meant; `null` when none was chosen. */
  get replace() {
    return Object.keys(this.#chosen).length > 0 ? this.#chosen : null;
  }

  /** Forgets what was chosen: another file comes. */
  clear() {
    this.#chosen = {};
    this.show([]);
  }

  /**
   * `lists`: as the API has them. `columns`: those of the dataset. `find`: gives stored names of a column
   * that contain a text.
   */
  show(lists, { columns = [], isPart = false, canChoose = true, find = null } = {}) {
    this.#keep(lists);
    this.#find = find;
    this.hidden = lists.length === 0;
    const focused = this.contains(document.activeElement) ? document.activeElement.id : "";
    const where = isPart ? "The first rows name records that are not there yet. Each becomes a new one, unless another is meant." : "The file names records that are not there yet. Each becomes a new one, unless another is meant.";
    this.replaceChildren(...(this.hidden ? [] : [
      el("h2", {}, "New names"), el("p", { class: "small muted" }, where),
      ...lists.map((list) => this.#column(list, columns.find((one) => one.name === list.column), canChoose)),
    ]));
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }

  /** What was chosen for names that are listed no more is forgotten. */
  #keep(lists) {
    const kept = {};
    for (const { column, names } of lists) {
      const of = names.filter(({ name }) => this.#chosen[column]?.[name] !== undefined);
      if (of.length > 0) kept[column] = Object.fromEntries(of.map(({ name }) => [name, this.#chosen[column][name]]));
    }
    this.#chosen = kept;
  }

  #column({ column, table, names, more }, known, canChoose) {
    const near = names.filter((one) => one.nearest);
    const others = names.filter((one) => !one.nearest);
    const words = `${near.length > 0 ? `${number(others.length)} other` : number(others.length)} new ${others.length === 1 ? "name" : "names"}`;
    // A record that several cells name together cannot be replaced by a name.
    const isOne = !known?.references?.with?.length;
    const choice = (one, index) => this.#choice(column, one, `new-${column}-${index}`, { canChoose, canFind: isOne && this.#find !== null });
    const list = (some, from) => el("ul", {}, some.map((one, index) => choice(one, from + index)));
    return el("fieldset", { class: "new-names" },
      el("legend", {}, known?.title ?? column, el("span", { class: "muted small" }, ` · table ${table}`)),
      near.length > 0 && list(near, 0),
      others.length > 0 && el("details", { open: others.length <= 5 && near.length === 0 }, el("summary", { class: "small" }, words), list(others, near.length)),
      more && el("p", { class: "small muted" }, "The file has more new names than are listed."));
  }

  #choice(column, { name, rows, nearest }, id, { canChoose, canFind }) {
    const about = el("span", { class: "name" }, el("b", {}, name), el("span", { class: "muted small" }, ` ${counted(rows, "row")}`));
    if (!nearest && !canFind) return el("li", {}, about);
    const alike = nearest && `${Math.round(nearest.confidence * 100)} % alike`;
    const select = el("select", { id, "aria-label": `What ${name} is`, disabled: !canChoose, onchange: () => changed() },
      el("option", { value: "" }, "Create it"),
      nearest && el("option", { value: nearest.name }, `Use «${nearest.name}» instead (${alike})`),
      canFind && el("option", { value: OTHER }, "Use another name …"));
    const put = (instead) => {
      if (instead && ![...select.options].some((option) => option.value === instead)) {
        select.add(el("option", { value: instead }, `Use «${instead}» instead`), select.options.length - 1);
      }
      select.value = instead;
    };
    const search = new NameSearch({
      id: `${id}-search`, label: `The stored name that ${name} means`,
      find: (text) => this.#find(column, text),
      took: (instead) => this.#choose(column, name, instead),
      left: (hadFocus) => {
        put(this.#chosen[column]?.[name] ?? "");
        if (hadFocus) select.focus();
      },
    });
    const changed = () => {
      if (select.value === OTHER) search.open();
      else this.#choose(column, name, select.value);
    };
    put(this.#chosen[column]?.[name] ?? "");
    return el("li", {}, about, select, search.element);
  }

  #choose(column, name, instead) {
    const names = { ...this.#chosen[column], [name]: instead };
    if (!instead) delete names[name];
    this.#chosen = { ...this.#chosen, [column]: names };
    if (Object.keys(names).length === 0) delete this.#chosen[column];
  }
}

customElements.define("new-references", NewReferences);

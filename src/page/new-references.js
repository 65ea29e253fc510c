// <new-references>: records of other tables that an import would create because the file names them, each
// beside the name that is there and most like it. Which of the two is meant is chosen here. Knows no API.

import { counted, el, number } from "./text.js";

class NewReferences extends HTMLElement {
  #chosen = {};

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

  /** `lists`: as the API has them. `titles`: column → its title. */
  show(lists, { titles = {}, isPart = false, canChoose = true } = {}) {
    this.#keep(lists);
    this.hidden = lists.length === 0;
    const focused = this.contains(document.activeElement) ? document.activeElement.id : "";
    const where = isPart ? "The first rows name records that are not there yet. Each becomes a new one, unless another is meant." : "The file names records that are not there yet. Each becomes a new one, unless another is meant.";
    this.replaceChildren(...(this.hidden ? [] : [
      el("h2", {}, "New names"), el("p", { class: "small muted" }, where),
      ...lists.map((list) => this.#column(list, titles[list.column] ?? list.column, canChoose)),
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

  #column({ column, table, names, more }, title, canChoose) {
    const near = names.filter((one) => one.nearest);
    const others = names.filter((one) => !one.nearest);
    const words = `${near.length > 0 ? `${number(others.length)} other` : number(others.length)} new ${others.length === 1 ? "name" : "names"}`;
    return el("fieldset", { class: "new-names" },
      el("legend", {}, title, el("span", { class: "muted small" }, ` · table ${table}`)),
      near.length > 0 && el("ul", {}, near.map((one, index) => this.#choice(column, one, `new-${column}-${index}`, canChoose))),
      others.length > 0 && el("details", { open: others.length <= 5 && near.length === 0 }, el("summary", { class: "small" }, words),
        el("p", { class: "small names" }, others.map((one) => el("span", { title: counted(one.rows, "row") }, one.name)))),
      more && el("p", { class: "small muted" }, "The file has more new names than are listed."));
  }

  #choice(column, { name, rows, nearest }, id, canChoose) {
    const alike = `${Math.round(nearest.confidence * 100)} % alike`;
    const select = el("select", { id, "aria-label": `What ${name} is`, disabled: !canChoose, onchange: () => this.#choose(column, name, select.value) },
      el("option", { value: "" }, "Create it"),
      el("option", { value: nearest.name }, `Use «${nearest.name}» instead (${alike})`));
    select.value = this.#chosen[column]?.[name] ?? "";
    return el("li", {}, el("span", { class: "name" }, el("b", {}, name), el("span", { class: "muted small" }, ` ${counted(rows, "row")}`)), select);
  }

  #choose(column, name, instead) {
    const names = { ...this.#chosen[column], [name]: instead };
    if (!instead) delete names[name];
    this.#chosen = { ...this.#chosen, [column]: names };
    if (Object.keys(names).length === 0) delete this.#chosen[column];
  }
}

customElements.define("new-references", NewReferences);

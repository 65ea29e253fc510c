// Text with cells between delimiters: read and written. Knows no address and no element.

/** The rows of a text, each a list of cells. */
export function parseCsv(text, delimiter) {
  const rows = [];
  let row = [];
  let cell = "";
  let isQuoted = false;
  const all = text.replace(/^\uFEFF/, "");
  for (let at = 0; at < all.length; at += 1) {
    const letter = all[at];
    if (isQuoted) {
      if (letter !== '"') cell += letter;
      else if (all[at + 1] === '"') cell += all[++at];
      else isQuoted = false;
    } else if (letter === '"' && cell === "") {
      isQuoted = true;
    } else if (letter === delimiter) {
      row.push(cell);
      cell = "";
    } else if (letter === "\n" || letter === "\r") {
      if (letter === "\r" && all[at + 1] === "\n") at += 1;
      rows.push([...row, cell]);
      row = [];
      cell = "";
    } else {
      cell += letter;
    }
  }
  if (cell !== "" || row.length > 0) rows.push([...row, cell]);
  return rows;
}

/** The text of rows. */
export function writeCsv(rows, delimiter) {
  const needsQuotes = (cell) => cell.includes(delimiter) || /["\r\n]|^\s|\s$/.test(cell);
  const written = (cell) => (needsQuotes(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  return rows.map((row) => `${row.map(written).join(delimiter)}\r\n`).join("");
}

//! Lines to standard output, which programs may read, and to standard error, which people read.

use std::io::{self, Write};

use serde_json::Value;

/// A line to standard output. A reader that went away is none of our business.
pub(super) fn print(line: impl AsRef<str>) {
    let _ = writeln!(io::stdout().lock(), "{}", line.as_ref());
}

/// A line to standard error.
pub(super) fn note(line: impl AsRef<str>) {
    let _ = writeln!(io::stderr().lock(), "{}", line.as_ref());
}

/// One line of JSON to standard output.
pub(super) fn print_json(value: &Value) {
    print(value.to_string());
}

/// Rows of cells, each column as wide as its widest cell; the last one ends where it ends.
pub(super) fn print_table(rows: &[Vec<String>]) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let cells = row.iter().zip(&widths);
        let line: Vec<String> = cells.map(|(cell, width)| format!("{cell:<width$}")).collect();
        print(line.join("  ").trim_end());
    }
}

/// A value as a person reads it: nothing of what is missing, and a text without control characters, which
/// could move the cursor of the terminal.
pub(super) fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => plain(text),
        Some(other) => other.to_string(),
    }
}

/// A text without control characters.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_write_to_the_terminal() {
        assert_eq!(shown(Some(&Value::from("a\u{1b}[2Jb"))), "a [2Jb");
        assert_eq!(shown(Some(&Value::Null)), "");
        assert_eq!(shown(Some(&Value::from(7))), "7");
    }
}

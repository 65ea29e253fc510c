//! Cells that a spreadsheet would take for a formula: guarded on their way out, given back on their
//! way in (CWE-1236).
//!
//! [`unguarded`] undoes [`guarded`] exactly, so that a list of failed rows can be imported again.

use std::borrow::Cow;

/// Puts an apostrophe before a cell that begins with `=`, `+`, `-`, `@`, a tab, a carriage return or
/// a full-width variant of these. Plain numbers stay as they are.
///
/// A cell that begins with apostrophes and then such a character gets one more, so that taking
/// exactly one away gives the cell back.
#[must_use]
pub fn guarded(cell: &str) -> Cow<'_, str> {
    if begins_formula(cell.trim_start_matches('\'')) && !is_plain_number(cell) {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

/// Takes the apostrophe of [`guarded`] away; a cell without one stays as it is.
#[must_use]
pub fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if begins_formula(rest.trim_start_matches('\'')) && !is_plain_number(rest) => {
            rest
        }
        _ => cell,
    }
}

fn begins_formula(cell: &str) -> bool {
    cell.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'])
}

/// Digits with an optional sign and any points and commas: `-12.50`, `+1.234,5`.
fn is_plain_number(cell: &str) -> bool {
    let digits = cell.strip_prefix(['+', '-']).unwrap_or(cell);
    digits.bytes().any(|byte| byte.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMULAS: [&str; 13] = [
        "=1+1",
        "+cmd|' /C calc'!A0",
        "-1+1",
        "@SUM(A1)",
        "\tx",
        "\rx",
        "＝1",
        "＋1",
        "－1",
        "＠x",
        "-",
        "'=1",
        "''@x",
    ];

    #[test]
    fn no_cell_begins_a_formula_and_every_cell_comes_back() {
        for cell in FORMULAS {
            let safe = guarded(cell);
            assert_eq!(safe, format!("'{cell}"));
            assert_eq!(unguarded(&safe), cell);
        }
    }

    #[test]
    fn plain_numbers_and_texts_stay_on_both_ways() {
        for cell in
            ["", "-12.50", "+3", "-1.234,56", "a=b", "'quoted'", "o'clock", "''", "12", "'-5"]
        {
            let safe = guarded(cell);
            assert_eq!(unguarded(&safe), cell);
            assert!(cell == safe || cell == "'-5", "{cell}");
        }
    }
}

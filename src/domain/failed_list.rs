//! The list of failed rows: it is downloaded, corrected and uploaded again, so both directions stand here.
//! It has the columns of the uploaded file and two of its own, by which it is known again.

use std::borrow::Cow;

/// The column with the number of the row in the uploaded file.
pub const ROW: &str = "_row";

/// The column with the outcome of the row, in a list of all rows.
pub const OUTCOME: &str = "_outcome";

/// The column that says why the row failed.
pub const ERROR: &str = "_error";

/// True for the header cell of a column that only such a list has.
#[must_use]
pub fn is_own_column(cell: &str) -> bool {
    [ROW, OUTCOME, ERROR].contains(&cell.trim())
}

/// True for the header of such a list.
#[must_use]
pub fn is_failed_list(header: &[String]) -> bool {
    header.iter().any(|cell| is_own_column(cell))
}

/// Puts an apostrophe before a cell that a spreadsheet would take for a formula (CWE-1236): one that
/// begins with `=`, `+`, `-`, `@`, a tab, a carriage return or a full-width variant of these. Plain
/// numbers stay as they are.
///
/// A cell that begins with apostrophes and then such a character gets one more, so that taking
/// exactly one away gives the cell back.
#[must_use]
pub fn escape_formula(cell: &str) -> Cow<'_, str> {
    let begins = cell.trim_start_matches('\'').starts_with(is_trigger);
    if begins && !is_plain_number(cell) {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

fn is_trigger(first: char) -> bool {
    matches!(first, '=' | '+' | '-' | '@' | '\t' | '\r' | '＝' | '＋' | '－' | '＠')
}

/// Digits with an optional sign and any points and commas: `-12.50`, `+1.234,5`.
fn is_plain_number(cell: &str) -> bool {
    let digits = cell.strip_prefix(['+', '-']).unwrap_or(cell);
    digits.bytes().any(|byte| byte.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','))
}

/// Takes the apostrophe away that [`escape_formula`] put before the cell. What a spreadsheet or a
/// person wrote there without one stays as it is.
#[must_use]
pub fn unescape_formula(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.trim_start_matches('\'').starts_with(is_trigger) => rest,
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_begins_a_formula() {
        for cell in [
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
        ] {
            assert_eq!(escape_formula(cell), format!("'{cell}"));
        }
    }

    #[test]
    fn plain_numbers_and_texts_stay() {
        for cell in ["", "-12.50", "+3", "-1.234,56", "a=b", "'quoted'", "o'clock", "''", "12"] {
            assert_eq!(escape_formula(cell), cell);
        }
    }

    #[test]
    fn only_a_list_of_failed_rows_has_its_columns() {
        let header = |cells: &[&str]| cells.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert!(is_failed_list(&header(&["SKU", "_row", "_error"])));
        assert!(is_failed_list(&header(&["SKU", " _error "])));
        assert!(!is_failed_list(&header(&["SKU", "Row", "error"])));
    }

    proptest::proptest! {
        #[test]
        fn every_cell_comes_back_as_it_was(cell in "'{0,3}[-=+@＝\t]?[0-9a',.=-]{0,6}") {
            let written = escape_formula(&cell);
            proptest::prop_assert_eq!(unescape_formula(&written), cell.as_str());
        }
    }
}

//! CSV on its way out: RFC 4180 quoting, and cells that no spreadsheet takes for a formula.

use std::borrow::Cow;

/// The byte order mark that makes old spreadsheet programs read UTF-8.
pub(super) const BOM: &[u8] = "\u{feff}".as_bytes();

/// Adds one record, ended by CRLF.
pub(super) fn write_record<'a>(
    out: &mut Vec<u8>,
    delimiter: u8,
    cells: impl IntoIterator<Item = &'a str>,
) {
    let mut first = true;
    for cell in cells {
        if !first {
            out.push(delimiter);
        }
        // A record of one empty cell would be a blank line.
        let quoted = cell.bytes().any(|b| b == delimiter || matches!(b, b'"' | b'\r' | b'\n'))
            || cell.starts_with([' ', '\t'])
            || cell.ends_with([' ', '\t']);
        if quoted {
            out.push(b'"');
            for byte in cell.bytes() {
                if byte == b'"' {
                    out.push(b'"');
                }
                out.push(byte);
            }
            out.push(b'"');
        } else {
            out.extend_from_slice(cell.as_bytes());
        }
        first = false;
    }
    out.extend_from_slice(b"\r\n");
}

/// Puts an apostrophe before a cell that a spreadsheet would take for a formula (CWE-1236): one that
/// begins with `=`, `+`, `-`, `@`, a tab, a carriage return or a full-width variant of these. Plain
/// numbers stay as they are.
///
/// A cell that begins with apostrophes and then such a character gets one more, so that taking
/// exactly one away gives the cell back.
pub(super) fn formula_safe(cell: &str) -> Cow<'_, str> {
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
            assert_eq!(formula_safe(cell), format!("'{cell}"));
        }
    }

    #[test]
    fn plain_numbers_and_texts_stay() {
        for cell in ["", "-12.50", "+3", "-1.234,56", "a=b", "'quoted'", "o'clock", "''", "12"] {
            assert_eq!(formula_safe(cell), cell);
        }
    }

    #[test]
    fn what_was_written_is_what_a_reader_gets() {
        let cells = ["a", "", "x;y", "say \"hi\"", "two\nlines", " pad ", "ü€"];
        let mut text = Vec::new();
        write_record(&mut text, b';', cells);
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(b';')
            .has_headers(false)
            .from_reader(text.as_slice());
        let record = reader.records().next().unwrap().unwrap();
        assert_eq!(record.iter().collect::<Vec<_>>(), cells);
    }
}

//! Rows that a text in quotes swallows: a quote that was opened by mistake and closed by the next one
//! that was written by mistake, both at a place where the rules allow it.

use memchr::{memchr_iter, memchr2, memrchr2};

use super::csv_record::CsvRecord;

/// The record's text in quotes goes over lines that have as many cells as the header each, when they
/// are read without the quotes. In a file of `columns` columns that is hardly a text.
pub(super) fn has_swallowed_rows(record: &CsvRecord, delimiter: u8, columns: usize) -> bool {
    // In a file of two columns one comma more makes a line of any text look like a row.
    if record.is_plain() || columns < 3 {
        return false;
    }
    let text = record.text(&[]);
    let fields = record.spans().map(|(start, end)| text.get(start..end).unwrap_or_default());
    let broken = fields.enumerate().find_map(|(index, field)| {
        let first = memchr2(b'\n', b'\r', field)?;
        let last = memrchr2(b'\n', b'\r', field)?;
        Some((index, field.get(..first)?, field.get(first..last)?, field.get(last + 1..)?))
    });
    let Some((index, first, between, last)) = broken else { return false };
    let behind = record.len() - index - 1;
    let is_whole = |delimiters: usize| delimiters + 1 == columns;
    is_whole(index + separators(first, delimiter))
        && is_whole(separators(last, delimiter) + behind)
        && between
            .split(|byte| matches!(byte, b'\n' | b'\r'))
            .filter(|line| !line.is_empty())
            .all(|line| is_whole(separators(line, delimiter)))
}

/// Delimiters of a line as programs write rows: a blank follows them in prose only.
fn separators(line: &[u8], delimiter: u8) -> usize {
    let is_prose = |at: &usize| line.get(at + 1) == Some(&b' ');
    memchr_iter(delimiter, line).filter(|at| !is_prose(at)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::csv_record::{Dialect, ParsedRecord};

    fn swallows(text: &str, columns: usize) -> bool {
        let mut record = CsvRecord::default();
        let parsed = record.parse(text.as_bytes(), true, Dialect::new(b','));
        assert_eq!(parsed, ParsedRecord::Whole { bytes: text.len() });
        has_swallowed_rows(&record, b',', columns)
    }

    #[test]
    fn lines_that_are_rows_are_seen() {
        assert!(swallows("A,\"24 wide,1\nB,plain,2\r\nC,19\",3", 3));
        assert!(swallows("A,\"24 wide,1\nB,19\",3", 3));
        assert!(swallows("A,B,\"24 wide\nC,19\",3", 3), "the quotes stand in two columns");
    }

    #[test]
    fn lines_of_a_text_are_none() {
        for text in [
            "A,\"first line\nsecond line\",3",
            "A,\"sizes, colours\nred, blue, green\",3",
            "A,\"1,2\n3,4\n6,7\",3",
            "A,\"S, M\nL, XL\",3",
            "A,plain,3",
        ] {
            assert!(!swallows(text, 3), "{text}");
        }
        assert!(!swallows("\"a\nb\"", 1));
        assert!(!swallows("A,\"two\nlines\",more", 2));
    }
}

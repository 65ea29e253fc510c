//! Writes CSV records, quoted by RFC 4180. Knows no dataset.

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

#[cfg(test)]
mod tests {
    use super::*;

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

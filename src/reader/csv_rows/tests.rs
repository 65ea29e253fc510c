//! Rows and their places, whatever the file does.

use super::*;

/// Gives a few bytes at a time.
struct Slow<'a>(&'a [u8], usize);

impl Read for Slow<'_> {
    fn read(&mut self, target: &mut [u8]) -> std::io::Result<usize> {
        let Self(text, most) = self;
        let count = text.len().min(*most).min(target.len());
        target[..count].copy_from_slice(&text[..count]);
        *text = &text[count..];
        Ok(count)
    }
}

/// Row number, line and cells of every row; small reads, so that every border is met.
fn rows(text: &[u8], read: usize) -> Result<Vec<(u32, u64, Vec<String>)>, ReadError> {
    let mut csv = CsvRows::new(Slow(text, read), Dialect::new(b','));
    let (mut row, mut all) = (RawRow::new(), Vec::new());
    while csv.next_row(&mut row)? {
        let cells = row.cells().map(|(text, _)| text.to_owned()).collect();
        all.push((row.row_number.get(), row.line, cells));
    }
    Ok(all)
}

fn positions(text: &[u8]) -> Vec<(u32, u64)> {
    let whole = rows(text, 1 << 10).unwrap();
    for read in 1..8 {
        assert_eq!(rows(text, read).unwrap(), whole, "reads of {read} bytes differ");
    }
    whole.into_iter().map(|(row, line, _)| (row, line)).collect()
}

#[test]
fn blank_lines_count_as_rows_and_are_skipped() {
    assert_eq!(positions(b"\n\na,b\n\n1,2\n , \n3,4"), [(3, 3), (5, 5), (7, 7)]);
}

#[test]
fn every_kind_of_line_end_counts_once() {
    let expected = [(1, 1), (2, 2), (4, 4)];
    assert_eq!(positions(b"a\nb\n\nc\n"), expected);
    assert_eq!(positions(b"a\r\nb\r\n\r\nc"), expected);
    assert_eq!(positions(b"a\rb\r\rc\r"), expected);
    assert_eq!(positions(b"a\nb\r\n\rc"), expected);
}

#[test]
fn a_quoted_line_break_moves_the_line_but_not_the_row() {
    assert_eq!(positions(b"a,b\n1,\"x\r\ny\rz\n\"\n2,q\n"), [(1, 1), (2, 2), (3, 6)]);
}

/// Row number and fault of every row, and the cells of those without.
fn faults(text: &str, dialect: Dialect) -> Vec<(u32, Result<Vec<String>, RowFault>)> {
    let mut all: Option<Vec<_>> = None;
    for read in [1, 2, 3, 5, 1 << 10] {
        let mut csv = CsvRows::new(Slow(text.as_bytes(), read), dialect);
        csv.set_header_cells(3);
        let (mut row, mut found) = (RawRow::new(), Vec::new());
        while csv.next_row(&mut row).unwrap() {
            let cells = || row.cells().map(|(text, _)| text.to_owned()).collect();
            found.push((row.row_number.get(), row.fault.clone().map_or_else(|| Ok(cells()), Err)));
        }
        assert!(all.as_ref().is_none_or(|all| *all == found), "reads of {read} bytes differ");
        all = Some(found);
    }
    all.unwrap_or_default()
}

#[test]
fn broken_quotes_cost_their_own_line_only() {
    let text = "a,\"19 rack,1\nb,c,2\nd,\"20 rack,3\n\"x\ny\",\"e\" f,4\ng,h,5\n";
    let good = |cells: [&str; 3]| Ok(cells.map(str::to_owned).to_vec());
    assert_eq!(
        faults(text, Dialect::new(b',')),
        [
            (1, Err(RowFault::TextAfterQuote { line: 1 })),
            (2, good(["b", "c", "2"])),
            (3, Err(RowFault::TextAfterQuote { line: 3 })),
            // The record has two lines; the quote that is broken opens in the second.
            (4, Err(RowFault::TextAfterQuote { line: 5 })),
            (5, good(["g", "h", "5"])),
        ]
    );
    let open = faults("a,b,1\nc,\"d,2\ne,f,3", Dialect::new(b','));
    assert_eq!(open[1], (2, Err(RowFault::QuoteNeverClosed { line: 2 })));
    assert_eq!(open[2], (3, good(["e", "f", "3"])));
}

#[test]
fn blanks_around_quotes_belong_to_the_delimiter() {
    let text = "\"a, b\", \"c \"\"d\"\"\" ,\t\"e\" \n f, 24\" wide,g\"\n";
    let found = faults(text, Dialect::new(b','));
    assert_eq!(found[0].1.as_deref(), Ok(&["a, b", "c \"d\"", "e"].map(str::to_owned)[..]));
    assert_eq!(found[1].1.as_deref(), Ok(&[" f", " 24\" wide", "g\""].map(str::to_owned)[..]));
}

#[test]
fn a_backslash_escapes_a_quote_in_its_dialect_only() {
    let text = "a,\"24\\\" wide, \\\\ \\x\",1\n";
    let escaped = Dialect { has_backslash_escapes: true, ..Dialect::new(b',') };
    let found = faults(text, escaped);
    assert_eq!(found[0].1.as_deref(), Ok(&["a", "24\" wide, \\ \\x", "1"].map(str::to_owned)[..]));
    let standard = faults(text, Dialect::new(b','));
    assert_eq!(standard[0].1, Err(RowFault::TextAfterQuote { line: 1 }));
}

#[test]
fn a_text_in_quotes_longer_than_a_field_is_one_that_is_never_closed() {
    let far = format!("a,\"b,1\n{}c,\",2\n", "d,e,3\n".repeat(200_000));
    let mut csv = CsvRows::new(far.as_bytes(), Dialect::new(b','));
    csv.set_header_cells(3);
    let (mut row, mut rows) = (RawRow::new(), 0);
    while csv.next_row(&mut row).unwrap() {
        let fault = row.fault.clone();
        match row.row_number.get() {
            1 => assert_eq!(fault, Some(RowFault::QuoteNeverClosed { line: 1 })),
            200_002 => assert_eq!(fault, Some(RowFault::QuoteNeverClosed { line: 200_002 })),
            _ => assert_eq!((fault, row.len()), (None, 3)),
        }
        rows += 1;
    }
    assert_eq!(rows, 200_002);
}

#[test]
fn a_closed_quote_at_the_very_end_is_fine() {
    assert_eq!(rows(b"a\n\"x\"", 2).unwrap()[1].2, ["x"]);
    assert_eq!(rows(b"a\n\"\"", 2).unwrap().len(), 1, "an empty quoted cell is a blank row");
    assert_eq!(rows(b"a,b\n1,", 2).unwrap()[1].2, ["1", ""]);
}

/// A text without an end, so that only a bound can stop the reader.
struct Endless {
    start: &'static [u8],
    rest: &'static [u8],
}

impl Read for Endless {
    fn read(&mut self, target: &mut [u8]) -> std::io::Result<usize> {
        let count = self.start.len();
        target[..count].copy_from_slice(self.start);
        for (byte, next) in target[count..].iter_mut().zip(self.rest.iter().cycle()) {
            *byte = *next;
        }
        self.start = b"";
        Ok(target.len())
    }
}

fn endless(start: &'static [u8], rest: &'static [u8]) -> ReadError {
    let mut csv = CsvRows::new(Endless { start, rest }, Dialect::new(b','));
    let mut row = RawRow::new();
    loop {
        match csv.next_row(&mut row) {
            Ok(more) => assert!(more),
            Err(error) => {
                assert!(csv.window.len() <= WINDOW_BYTES_MAX);
                return error;
            }
        }
    }
}

#[test]
fn bounds_end_the_file_where_the_fault_began() {
    let position = |row_number, line| Some(RowPosition { row_number, line });
    let field = endless(b"a,b\n1,2\n3,", b"4");
    assert_eq!(field.position(), position(3, 3));
    assert_eq!(field.code().as_str(), "field_too_long");
    assert_eq!(endless(b"a,b\n1,2\n", b"xxxxxxxxxx").position(), position(3, 3));
    assert_eq!(endless(b"a,b\n1,2\n", b"xxxxxxxxx,").position(), position(3, 3));
    assert_eq!(endless(b"a,b\n1,2\n", b",").position(), position(3, 3));
    let long: &'static [u8] = [[b'x'; 7000].as_slice(), b","].concat().leak();
    let row = endless(b"a,b\n1,2\n", long).to_string();
    assert!(row.starts_with("row 3 (line 3) is longer"), "{row}");
}

#[test]
fn a_long_field_is_found_however_the_input_is_cut() {
    let mut text = b"a,b\n".to_vec();
    text.extend(vec![b'x'; FIELD_BYTES_MAX + 1]);
    text.extend(b",2\n");
    for read in [64 << 10, 8 << 20] {
        assert_eq!(rows(&text, read).unwrap_err().code().as_str(), "field_too_long");
    }
    text.remove(10);
    assert_eq!(rows(&text, 8 << 20).unwrap().len(), 2);
}

#[test]
fn bytes_that_are_no_text_mark_their_cell_only() {
    let mut csv = CsvRows::new(&b"a,\xE4,\xC3\xA4\n\xC3,\xA4\n"[..], Dialect::new(b','));
    let mut row = RawRow::new();
    assert!(csv.next_row(&mut row).unwrap());
    let kinds: Vec<_> = row.cells().map(|(text, kind)| (text.to_owned(), kind)).collect();
    assert_eq!(kinds[0], ("a".into(), CellKind::Text));
    assert_eq!(kinds[1], ("\u{FFFD}".into(), CellKind::BadEncoding));
    assert_eq!(kinds[2], ("ä".into(), CellKind::Text));
    assert!(csv.next_row(&mut row).unwrap());
    assert!(row.cells().all(|(_, kind)| kind == CellKind::BadEncoding));
}

#[test]
fn empty_cells_past_the_header_are_dropped_and_others_bounded() {
    let long = format!("1,2,,,\n1,2,,x,,\n1\n{}\n", "y,".repeat(500));
    let mut csv = CsvRows::new(long.as_bytes(), Dialect::new(b','));
    csv.set_header_cells(2);
    let (mut row, mut lengths) = (RawRow::new(), Vec::new());
    while csv.next_row(&mut row).unwrap() {
        lengths.push(row.len());
    }
    assert_eq!(lengths, [2, 4, 1, 2 + CELLS_PAST_HEADER]);
}

#[test]
fn a_byte_order_mark_where_a_record_begins_says_nothing() {
    let text = "\u{feff}a,b\n\u{feff}\"1\",2\n\u{feff}\n3,\u{feff}\n";
    for read in [1, 2, 3, 1 << 10] {
        let found = rows(text.as_bytes(), read).unwrap();
        assert_eq!(found[1], (2, 2, vec!["1".into(), "2".into()]));
        assert_eq!(found[2], (4, 4, vec!["3".into(), "\u{feff}".into()]));
    }
}

#[test]
fn what_old_programs_put_behind_the_last_record_is_no_row() {
    let expected = [(1, 1), (2, 2)];
    for end in ["\x1a", "\n\x1a", "\r\n\x1a\x1a\r\n", "\n\0\0\0\0", "\0\0", "\n\x0c\n"] {
        let text = format!("a,b\n1,2{end}");
        assert_eq!(positions(text.as_bytes()), expected, "{end:?}");
        assert_eq!(rows(text.as_bytes(), 3).unwrap()[1].2, ["1", "2"]);
    }
    assert_eq!(rows(b"a,b\n1\0,2\x1a,\n", 3).unwrap()[1].2, ["1\0", "2\x1a", ""]);
}

proptest::proptest! {
    /// Whatever quotes stand where, no line is lost and none is read twice.
    #[test]
    fn every_line_is_in_just_one_row(
        lines in proptest::collection::vec(("[a,\" \\\\]{0,5}", "[a,\" \\\\]{0,5}"), 1..12),
        escapes: bool,
        read in 1_usize..9,
    ) {
        let mut text = String::new();
        for (number, (before, after)) in lines.iter().enumerate() {
            text.extend([before, "#", &number.to_string(), ";", after, "\n"]);
        }
        let dialect = Dialect { has_backslash_escapes: escapes, ..Dialect::new(b',') };
        let mut csv = CsvRows::new(Slow(text.as_bytes(), read), dialect);
        csv.set_header_cells(3);
        let (mut row, mut seen, mut next) = (RawRow::new(), String::new(), 0);
        while csv.next_row(&mut row).unwrap() {
            proptest::prop_assert_eq!(row.line, next + 1, "a row begins behind the one before");
            for (cell, _) in row.cells() {
                next += cell.matches('#').count() as u64;
                seen.push_str(cell);
            }
        }
        for number in 0..lines.len() {
            proptest::prop_assert_eq!(seen.matches(&format!("#{number};")).count(), 1);
        }
    }

    #[test]
    fn the_csv_crate_finds_the_same_cells(text in "[ab, \"\n\r]{0,40}", read in 1_usize..9) {
        // That crate takes broken quotes for cells, and blanks before a quote for the cell's.
        let has_quotes_beside_blanks = text.contains(" \"") || text.contains("\" ");
        let mut csv = CsvRows::new(Slow(text.as_bytes(), read), Dialect::new(b','));
        let (mut row, mut is_broken) = (RawRow::new(), false);
        while csv.next_row(&mut row).unwrap() {
            is_broken |= row.fault.is_some();
        }
        if !is_broken && !has_quotes_beside_blanks {
            let ours = rows(text.as_bytes(), read).unwrap();
            let mut csv = csv::ReaderBuilder::new();
            let mut csv = csv.has_headers(false).flexible(true).from_reader(text.as_bytes());
            let theirs: Vec<Vec<String>> = csv
                .records()
                .map(|record| record.unwrap().iter().map(str::to_owned).collect())
                .filter(|row: &Vec<String>| row.iter().any(|cell| !cell.trim().is_empty()))
                .collect();
            let ours: Vec<_> = ours.into_iter().map(|(_, _, cells)| cells).collect();
            proptest::prop_assert_eq!(ours, theirs);
        }
    }

    #[test]
    fn a_line_is_the_line_that_an_editor_shows(text in "[a,\n\r]{0,40}", read in 1_usize..9) {
        let lines: Vec<&str> = text.split_inclusive(['\n', '\r']).collect();
        for (row, line, cells) in rows(text.as_bytes(), read).unwrap() {
            // Without quotes every line is a row of its own.
            proptest::prop_assert_eq!(u64::from(row), line);
            let unified = text.replace("\r\n", "\n").replace('\r', "\n");
            let shown = unified.split('\n').nth(row as usize - 1).unwrap();
            proptest::prop_assert_eq!(cells.join(","), shown, "{:?}", lines);
        }
    }
}

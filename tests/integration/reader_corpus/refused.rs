//! The files of the corpora that the reader must refuse, and why. It must read every other one.

use loadbay::reader::ReadError;

/// Name, code, and what is wrong with the file.
const REFUSED: [(&str, &str, &str); 31] = [
    // Texts.
    ("all-empty.csv", "empty_file", "no line has a text"),
    ("bad-header-no-header.csv", "empty_file", "it has no byte"),
    ("blank_lines_only.csv", "empty_file", "no line has a text"),
    ("nothing_at_all.csv", "empty_file", "it has no byte"),
    // Workbooks of our own.
    ("36-csv-named.xlsx", "format_mismatch", "it is CSV"),
    ("36-html-table.xls", "unsupported_format", "it is a page with a table"),
    ("36-tsv-named.xls", "format_mismatch", "it is text with tabs"),
    // Workbooks of the shared corpora.
    ("OOM_alloc3.xls", "corrupt_workbook", "its directory is past its end"),
    ("issue252.xlsx", "corrupt_workbook", "a part is larger than it says"),
    ("issue_594_dos.ods", "expands_too_large", "it repeats cells without end"),
    ("pass_protected.ods", "password_protected", "it is encrypted"),
    ("pass_protected.xlsb", "password_protected", "it is encrypted"),
    ("pass_protected.xlsx", "password_protected", "it is encrypted"),
    ("too_small.xls", "format_mismatch", "it is a few bytes of text"),
    // Workbooks of the shared corpora that have nothing to import.
    ("capitalized_wbook_stream.xls", "empty_file", "no visible sheet has a cell"),
    ("empty_sheet.xlsx", "empty_file", "no visible sheet has a cell"),
    ("issue127.ods", "empty_file", "no visible sheet has a cell"),
    ("issue127.xls", "empty_file", "no visible sheet has a cell"),
    ("issue127.xlsb", "empty_file", "no visible sheet has a cell"),
    ("issue_385.xls", "empty_file", "it is encrypted with the usual password, and has no cell"),
    ("issue127.xlsx", "empty_file", "no visible sheet has a cell"),
    ("issue281.xlsm", "empty_file", "no visible sheet has a cell"),
    ("issue343.xls", "empty_file", "no visible sheet has a cell"),
    ("issue_666_lost_sheets.xlsb", "empty_file", "no visible sheet has a cell"),
    ("issue_666_panic.xlsb", "empty_file", "no visible sheet has a cell"),
    ("misc_biff5_parsing.xls", "empty_file", "no visible sheet has a cell"),
    ("picture.ods", "empty_file", "no visible sheet has a cell"),
    ("picture.xls", "empty_file", "no visible sheet has a cell"),
    ("picture.xlsb", "empty_file", "no visible sheet has a cell"),
    ("picture.xlsx", "empty_file", "no visible sheet has a cell"),
    ("vba.xlsm", "empty_file", "no visible sheet has a cell"),
];

/// Texts without a twin, since each program reads them otherwise: name, rows, and what is odd.
pub(super) const ODD: [(&str, usize, &str); 10] = [
    ("bad-header-less-fields.csv", 1, "a row is shorter than the header"),
    ("bad-header-more-fields.csv", 1, "a row is longer than the header"),
    ("bad-header-wrong-header.csv", 0, "there is only a header"),
    ("bad-missing-quote.csv", 1, "the last quote is not closed"),
    ("bad-quotes-with-unescaped-quote.csv", 1, "a quote in quotes is not doubled"),
    ("bad-unescaped-quote.csv", 1, "a cell without quotes has some inside"),
    ("object_left_open.ndjson", 2, "a line that is no object is a row with a fault"),
    ("quote_left_open.csv", 1, "the last quote is not closed"),
    ("quotes_in_the_middle.csv", 1, "a cell without quotes has some inside"),
    ("short_and_long_rows.csv", 2, "rows are shorter and longer than the header"),
];

/// What was read; none when the file was refused as it must be. Any other refusal is a fault, and
/// so is a file that must be refused and was read.
#[track_caller]
pub(super) fn read_or_refused<T>(name: &str, result: Result<T, ReadError>) -> Option<T> {
    let expected = REFUSED.iter().find(|(refused, ..)| *refused == name);
    match (result, expected) {
        (Ok(read), None) => Some(read),
        (Ok(_), Some((_, code, why))) => panic!("{name} was read, not refused as {code}: {why}"),
        (Err(error), None) => panic!("{name} was refused: {}: {error}", error.code().as_str()),
        (Err(error), Some((_, code, why))) => {
            assert_eq!(error.code().as_str(), *code, "{name}: {error}; but {why}");
            None
        }
    }
}

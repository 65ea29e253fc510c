//! OpenDocument spreadsheets made by hand: what each kind of cell is, and what broken ones give.

use loadbay::domain::options::Options;
use loadbay::domain::row::CellKind;

use super::{Cells, archive, code, read_bytes, texts};

const KIND: &[u8] = b"application/vnd.oasis.opendocument.spreadsheet";

fn document(tables: &str) -> String {
    format!(
        "<office:document-content><office:automatic-styles><style:style style:name=\"off\">\
         <style:table-properties table:display=\"false\"/></style:style></office:automatic-styles>\
         <office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body>\
         </office:document-content>"
    )
}

fn ods(tables: &str) -> Vec<u8> {
    archive(&[("mimetype", KIND), ("content.xml", document(tables).as_bytes())])
}

fn table(name: &str, rows: &str) -> String {
    format!("<table:table table:name=\"{name}\">{rows}</table:table>")
}

fn row(cells: &str) -> String {
    format!("<table:table-row>{cells}</table:table-row>")
}

fn text(words: &str) -> String {
    format!(
        "<table:table-cell office:value-type=\"string\"><text:p>{words}</text:p></table:table-cell>"
    )
}

fn header() -> String {
    row(&["sku", "name", "price"].map(text).concat())
}

/// The cells of one row behind a header.
fn cells_of(cells: &str) -> Cells {
    let bytes = ods(&table("a", &(header() + row(&(text("A-1") + cells)).as_str())));
    let (_, rows) = read_bytes("a.ods", &bytes, &Options::default()).unwrap();
    rows.into_iter().next().unwrap().1.split_off(1)
}

#[test]
fn every_way_to_store_an_error_gives_an_error() {
    let shown = |attributes: &str, words: &str| {
        let cell =
            format!("<table:table-cell {attributes}><text:p>{words}</text:p></table:table-cell>");
        cells_of(&cell).into_iter().next().unwrap()
    };
    for (attributes, words) in [
        (
            "table:formula=\"of:=1/0\" office:value-type=\"string\" office:string-value=\"\" calcext:value-type=\"error\"",
            "#DIV/0!",
        ),
        ("table:formula=\"of:=NA()\" office:value-type=\"float\" office:value=\"0\"", "#N/A"),
        ("table:formula=\"of:=F()\" office:value-type=\"string\"", "Err:508"),
        ("calcext:value-type=\"error\"", "#NAME?"),
    ] {
        assert_eq!(shown(attributes, words), (words.to_owned(), CellKind::Error), "{attributes}");
    }
    let number = "office:value-type=\"float\" office:value=\"12,x\"";
    assert_eq!(shown(number, "12"), ("12,x".to_owned(), CellKind::Error));
}

#[test]
fn values_come_from_attributes_and_texts_from_paragraphs() {
    let cell = |attributes: &str, inside: &str| {
        let cell = format!("<table:table-cell {attributes}>{inside}</table:table-cell>");
        cells_of(&cell).into_iter().next()
    };
    let number = |value: &str| format!("office:value-type=\"float\" office:value=\"{value}\"");
    let found = |text: &str, kind| Some((text.to_owned(), kind));
    assert_eq!(cell(&number("12.5"), "<text:p>12,5</text:p>"), found("12.5", CellKind::Number));
    let rounded = CellKind::RoundedNumber { decimals: 0 };
    assert_eq!(cell(&number("12.5"), "<text:p>13</text:p>"), found("12.5", rounded));
    assert_eq!(cell(&number("12"), "<text:p>0012</text:p>"), found("0012", CellKind::Number));
    let percent = "office:value-type=\"percentage\" office:value=\"0.18\"";
    let all = CellKind::Percent { decimals: None };
    assert_eq!(cell(percent, "<text:p>18 %</text:p>"), found("18%", all));
    assert_eq!(cell(&number(""), "<text:p>12.50</text:p>"), found("12.50", CellKind::Text));
    assert_eq!(cell(&number(""), ""), None, "an empty number is an empty cell");
    assert_eq!(cell("table:formula=\"of:=A1\"", ""), found("", CellKind::NoValue));
    let date = "office:value-type=\"date\" office:date-value=\"2026-11-22\"";
    assert_eq!(cell(date, "<text:p>22.11.26</text:p>"), found("2026-11-22", CellKind::Date));
    assert_eq!(cell(date, "<text:p>22.11.</text:p>"), found("2026-11-22", CellKind::ShortDay));
    let inside = "<office:annotation><text:p>a note</text:p></office:annotation>\
                  <draw:frame><text:p>a picture</text:p></draw:frame>\
                  <text:p>two  <text:span>words &amp;\n more</text:span><text:s text:c=\"2\"/>!</text:p>\
                  <text:p>below<text:tab/>it<text:line-break/>on </text:p>";
    let expected = "two words & more  !\nbelow\tit\non ";
    assert_eq!(cell("office:value-type=\"string\"", inside), found(expected, CellKind::Text));
}

#[test]
fn rows_and_cells_are_repeated_and_gaps_are_not() {
    let gap = "<table:table-row table:number-rows-repeated=\"1000\"><table:table-cell \
               table:number-columns-repeated=\"1024\"/></table:table-row>";
    let again = "<table:table-row table:number-rows-repeated=\"2\"><table:table-cell \
                 office:value-type=\"float\" office:value=\"7\" \
                 table:number-columns-repeated=\"2\"/></table:table-row>";
    let rows = format!("{}{gap}{again}{gap}", header());
    let (_, rows) = read_bytes("a.ods", &ods(&table("a", &rows)), &Options::default()).unwrap();
    assert_eq!(rows.iter().map(|row| row.0).collect::<Vec<_>>(), [1002, 1003]);
    assert_eq!(texts(&rows), [["7", "7"], ["7", "7"]]);
}

#[test]
fn merged_cells_repeat_their_value() {
    let merged = "<table:table-cell table:number-columns-spanned=\"2\" \
                  table:number-rows-spanned=\"3\" office:value-type=\"string\">\
                  <text:p>Tools</text:p></table:table-cell><table:covered-table-cell/>";
    let covered = "<table:covered-table-cell table:number-columns-repeated=\"2\"/>";
    let rows = [
        header(),
        row(&(text("A-1") + merged)),
        row(&(text("A-2") + covered)),
        row(&(text("A-3") + covered)),
        row(&text("A-4")),
    ];
    let bytes = ods(&table("a", &rows.concat()));
    let (_, rows) = read_bytes("a.ods", &bytes, &Options::default()).unwrap();
    let cell = |text: &str, kind| (text.to_owned(), kind);
    let whole = |sku| {
        vec![cell(sku, CellKind::Text), cell("Tools", CellKind::Text), cell("", CellKind::Missing)]
    };
    let cells: Vec<_> = rows.into_iter().map(|(_, cells)| cells).collect();
    assert_eq!(cells[..3], ["A-1", "A-2", "A-3"].map(whole));
    assert_eq!(cells[3], [cell("A-4", CellKind::Text)]);
}

#[test]
fn a_spreadsheet_without_its_kind_is_read() {
    let content = document(&table("a", &(header() + row(&text("A-1")).as_str())));
    let bytes = archive(&[("content.xml", content.as_bytes())]);
    let (_, rows) = read_bytes("a.ods", &bytes, &Options::default()).unwrap();
    assert_eq!(texts(&rows), [["A-1"]]);
    let words = archive(&[("content.xml", b"<office:document-content><office:text/>")]);
    assert_eq!(code("a.ods", &words), "unsupported_format");
}

#[test]
fn a_broken_sheet_does_not_hide_the_one_before_it() {
    let good = table("Good", &(header() + row(&text("A-1")).as_str()));
    let broken = "<table:table table:name=\"Old\" table:style-name=\"off\"><table:table-row><x";
    let bytes =
        archive(&[("mimetype", KIND), ("content.xml", document(&(good + broken)).as_bytes())]);
    let (found, rows) = read_bytes("a.ods", &bytes, &Options::default()).unwrap();
    assert_eq!((found.sheets.len(), texts(&rows)), (2, vec![vec!["A-1"]]));
    let old = Options { sheet: Some("Old".to_owned()), ..Options::default() };
    let refused = read_bytes("a.ods", &bytes, &old).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the workbook is damaged: sheet `Old` cannot be read from about cell A1 on"
    );
}

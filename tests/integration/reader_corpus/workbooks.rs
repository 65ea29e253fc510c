//! Workbooks made by hand, part by part: ordinary ones and hostile ones.

use std::io::Write;
use std::sync::atomic::AtomicBool;

use loadbay::domain::options::Options;
use loadbay::domain::row::CellKind;
use loadbay::reader::{Child, ReadError, convert};
use zip::write::{SimpleFileOptions, ZipWriter};

use super::{Rows, child, code, detected, inspected, permit, read_bytes};

pub(crate) fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A workbook with the given parts besides those that every workbook has.
fn package(sheets: &str, parts: &[(&str, &[u8])]) -> Vec<u8> {
    let relationship = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let root = format!(
        "<Relationships><Relationship Id=\"a\" Type=\"{relationship}/officeDocument\" \
         Target=\"xl/workbook.xml\"/></Relationships>"
    );
    let targets = format!(
        "<Relationships><Relationship Id=\"r1\" Type=\"{relationship}/worksheet\" \
         Target=\"worksheets/sheet1.xml\"/><Relationship Id=\"r2\" Type=\"{relationship}/worksheet\" \
         Target=\"worksheets/sheet2.xml\"/><Relationship Id=\"r3\" \
         Type=\"{relationship}/chartsheet\" Target=\"chartsheets/sheet3.xml\"/></Relationships>"
    );
    let workbook = format!("<workbook xmlns:r=\"r\"><sheets>{sheets}</sheets></workbook>");
    let mut all: Vec<(&str, &[u8])> = vec![
        ("_rels/.rels", root.as_bytes()),
        ("xl/workbook.xml", workbook.as_bytes()),
        ("xl/_rels/workbook.xml.rels", targets.as_bytes()),
    ];
    all.extend_from_slice(parts);
    archive(&all)
}

const ONE_SHEET: &str = "<sheet name=\"One\" r:id=\"r1\"/>";

pub(super) fn one_sheet(rows: &str) -> Vec<u8> {
    let sheet = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
    package(ONE_SHEET, &[("xl/worksheets/sheet1.xml", sheet.as_bytes())])
}

fn inline(place: &str, text: &str) -> String {
    format!("<c r=\"{place}\" t=\"inlineStr\"><is><t>{text}</t></is></c>")
}

/// One row a cell.
pub(super) fn xlsx(cells: &[(&str, &str)]) -> Vec<u8> {
    let rows: Vec<String> =
        cells.iter().map(|(place, text)| format!("<row>{}</row>", inline(place, text))).collect();
    one_sheet(&rows.concat())
}

#[test]
fn elements_without_content_are_closed_either_way() {
    for strings in ["<sst/>", "<sst></sst>", "<x:sst xmlns:x=\"x\"/>"] {
        let sheet = format!(
            "<worksheet><cols/><sheetData><row>{}{}<c/></row><row/><row><c t=\"inlineStr\"><is/></c>\
             <c t=\"str\"><v/></c></row><row>{}<c><v>7</v></c></row></sheetData><mergeCells/>\
             </worksheet>",
            inline("A1", "sku"),
            inline("B1", "price"),
            inline("A4", "X")
        );
        let parts: [(&str, &[u8]); 3] = [
            ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
            ("xl/sharedStrings.xml", strings.as_bytes()),
            ("xl/styles.xml", b"<styleSheet><numFmts/><cellXfs/></styleSheet>"),
        ];
        let bytes = package(ONE_SHEET, &parts);
        let (found, rows) = read_bytes("a.xlsx", &bytes, &Options::default()).unwrap();
        assert_eq!(found.header, ["sku", "price"], "{strings}");
        let row = |number, cells: [(&str, CellKind); 2]| {
            (number, cells.map(|(text, kind)| (text.to_owned(), kind)).to_vec())
        };
        assert_eq!(rows, [row(4, [("X", CellKind::Text), ("7", CellKind::Number)])], "{strings}");
    }
}

#[test]
fn cells_of_a_workbook_keep_their_kind() {
    let bytes = one_sheet(
        "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>sku</t></is></c>\
         <c r=\"B1\" t=\"inlineStr\"><is><t>price</t></is></c></row>\
         <row r=\"3\"><c r=\"A3\"><v>4006381333931</v></c><c r=\"B3\"><v>19.990000000000002</v></c></row>\
         <row r=\"4\"><c r=\"A4\"><v>1234567890123456</v></c><c r=\"B4\" t=\"e\"><v>#N/A</v></c></row>\
         <row r=\"5\"><c r=\"A5\"><f>1+1</f></c><c r=\"B5\" t=\"b\"><v>1</v></c></row>\
         <row r=\"6\"><c r=\"A6\"><f>1+1</f><v>2</v></c><c r=\"B6\" t=\"str\"><f>\"\"</f><v></v></c>\
         <c r=\"D6\" t=\"inlineStr\"><is><t>beyond</t></is></c></row>",
    );
    let (found, rows) = read_bytes("a.xlsx", &bytes, &Options::default()).unwrap();
    assert_eq!(
        (found.header, found.sheet),
        (vec!["sku".into(), "price".into()], Some("One".into()))
    );
    let cell = |text: &str, kind| (text.to_owned(), kind);
    let expected: Rows = vec![
        (3, vec![cell("4006381333931", CellKind::Number), cell("19.99", CellKind::Number)]),
        (4, vec![cell("1234567890123456", CellKind::LossyNumber), cell("#N/A", CellKind::Error)]),
        (5, vec![cell("", CellKind::NoValue), cell("true", CellKind::Boolean)]),
        (
            6,
            vec![
                cell("2", CellKind::Number),
                cell("", CellKind::Text),
                cell("", CellKind::Text),
                cell("beyond", CellKind::Text),
            ],
        ),
    ];
    assert_eq!(rows, expected);
}

#[test]
fn the_first_visible_sheet_with_data_is_read() {
    let sheets = "<sheet name=\"Hidden\" state=\"hidden\" r:id=\"r1\"/>\
                  <sheet name=\"Chart\" r:id=\"r3\"/><sheet name=\"Ärtikel\" r:id=\"r2\"/>";
    let sheet = |text: &str| {
        format!("<worksheet><sheetData><row>{}</row></sheetData></worksheet>", inline("A1", text))
    };
    let (first, second) = (sheet("sku"), sheet("name"));
    let bytes = package(
        sheets,
        &[
            ("xl/worksheets/sheet1.xml", first.as_bytes()),
            ("xl/worksheets/sheet2.xml", second.as_bytes()),
            ("xl/chartsheets/sheet3.xml", b"<chartsheet/>"),
        ],
    );
    let (found, _) = read_bytes("a.xlsx", &bytes, &Options::default()).unwrap();
    assert_eq!(found.sheet.as_deref(), Some("Ärtikel"));
    assert_eq!(found.sheets, ["Hidden", "Ärtikel"]);
    let asked = |name| Options { sheet: Some(String::from(name)), ..Options::default() };
    let (found, _) = read_bytes("a.xlsx", &bytes, &asked("hidden")).unwrap();
    assert_eq!(found.sheet.as_deref(), Some("Hidden"));
    let error = read_bytes("a.xlsx", &bytes, &asked("Other")).unwrap_err();
    assert_eq!(error.code().as_str(), "no_such_sheet");
    assert_eq!(error.to_string(), "the workbook has no sheet `Other`; it has `Hidden`, `Ärtikel`");
    let blank =
        package(ONE_SHEET, &[("xl/worksheets/sheet1.xml", b"<worksheet><sheetData/></worksheet>")]);
    assert_eq!(code("a.xlsx", &blank), "empty_file");
}

#[test]
fn hostile_workbooks_are_refused_with_a_code() {
    let strings = |text: &str| {
        package(
            ONE_SHEET,
            &[
                ("xl/sharedStrings.xml", text.as_bytes()),
                ("xl/worksheets/sheet1.xml", b"<worksheet><sheetData/></worksheet>"),
            ],
        )
    };
    let lie = |count: &str| strings(&format!("<sst uniqueCount=\"{count}\"><si/></sst>"));
    for count in ["1000000000", "99999999999999", "9999999999999999999"] {
        assert_eq!(code("a.xlsx", &lie(count)), "empty_file", "nobody believes {count}");
    }
    let long = format!("<row>{}</row>", inline("A1", &"x".repeat(3 << 20)));
    assert_eq!(code("a.xlsx", &one_sheet(&long)), "expands_too_large");

    let doctype = "<!DOCTYPE a [<!ENTITY b \"c\">]><sst><si><t>&b;</t></si></sst>";
    assert_eq!(code("a.xlsx", &strings(doctype)), "corrupt_workbook");

    let back = xlsx(&[("A2", "sku"), ("A1", "name")]);
    assert_eq!(code("a.xlsx", &back), "corrupt_workbook");
    assert_eq!(code("a.xlsx", &xlsx(&[("A1", "sku"), ("A4000000000", "x")])), "too_many_rows");
    assert_eq!(code("a.xlsx", &xlsx(&[("A1", "sku"), ("ZZZZ2", "x")])), "corrupt_workbook");

    let far = xlsx(&[("A1", "sku"), ("XFD1048576", "x")]);
    let (_, rows) = read_bytes("a.xlsx", &far, &Options::default()).unwrap();
    assert_eq!((rows[0].0, rows[0].1.len()), (1_048_576, 65));

    let many: Vec<(String, &[u8])> = (0..2_100).map(|n| (format!("xl/a{n}"), &b""[..])).collect();
    let many: Vec<(&str, &[u8])> =
        many.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
    assert_eq!(code("a.xlsx", &package(ONE_SHEET, &many)), "expands_too_large");

    let mut cut = xlsx(&[("A1", "sku"), ("A2", "1")]);
    cut.truncate(cut.len() - 30);
    assert_eq!(code("a.xlsx", &cut), "corrupt_workbook");
}

#[test]
fn repeated_cells_of_a_spreadsheet_are_counted_before_they_are_written_out() {
    let kind = b"application/vnd.oasis.opendocument.spreadsheet";
    let content = "<office:document-content><office:body><office:spreadsheet><table:table \
                   table:name=\"a\"><table:table-row table:number-rows-repeated=\"1000000\">\
                   <table:table-cell office:value-type=\"float\" office:value=\"1\" \
                   table:number-columns-repeated=\"90\"/></table:table-row></table:table>\
                   </office:spreadsheet></office:body></office:document-content>";
    let bytes = archive(&[
        ("mimetype", kind),
        ("META-INF/manifest.xml", b"<manifest:manifest/>"),
        ("content.xml", content.as_bytes()),
    ]);
    assert_eq!(code("a.ods", &bytes), "expands_too_large");
}

#[test]
fn the_limits_of_the_child_end_it_and_not_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.xlsx");
    // A row of 12 MB.
    let wide: String = ["A2", "B2", "C2", "D2", "E2", "F2", "G2", "H2", "I2", "J2", "K2", "L2"]
        .map(|place| inline(place, &"x".repeat(1_000_000)))
        .concat();
    let rows = format!("<row>{}</row><row>{wide}</row>", inline("A1", "sku"));
    std::fs::write(&path, one_sheet(&rows)).unwrap();
    let found = inspected(&path, &Options::default()).unwrap();
    let detected = detected(&found);
    let spool = folder.path().join("spool");
    let run = |child: &Child, stop: bool| {
        convert(&path, &detected, &spool, &permit(child), &AtomicBool::new(stop)).unwrap_err()
    };
    let small = Child { memory_bytes: 4 << 20, ..child() };
    assert_eq!(run(&small, false).code().as_str(), "expands_too_large");
    let hurried = Child { wall_seconds: 0, ..child() };
    assert_eq!(run(&hurried, false).code().as_str(), "parser_timeout");
    assert!(matches!(run(&child(), true), ReadError::Stopped));
    let absent = Child { program: "/nonexistent".into(), ..child() };
    assert_eq!(run(&absent, false).code().as_str(), "source_unreadable");
    assert!(!spool.exists());
}

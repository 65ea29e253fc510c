//! Goal: whatever file comes in, the reader gives its rows or one of the documented codes, and its
//! own process lives. Method: public collections of ordinary and broken files, whole, and hostile
//! workbooks made here.

#![expect(
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test stops at the first surprise and shows what it saw"
)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use loadbay::domain::detected::{Detected, Format};
use loadbay::domain::options::Options;
use loadbay::domain::row::{CellKind, RawRow};
use loadbay::reader::{
    Child, Inspection, ReadError, RowSource, Upload, convert, inspect, open_csv, open_spool,
};
use zip::write::{SimpleFileOptions, ZipWriter};

type Cells = Vec<(String, CellKind)>;
type Rows = Vec<(u32, Cells)>;

fn corpus(part: &str) -> Option<PathBuf> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpora")).join(part);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {part} is not there");
    None
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn child() -> Child {
    Child {
        program: env!("CARGO_BIN_EXE_loadbay").into(),
        memory_bytes: 1 << 30,
        cpu_seconds: 60,
        wall_seconds: 60,
    }
}

fn score(cells: &[&str]) -> usize {
    let known = ["sku", "name", "price", "qty", "a", "b", "c"];
    cells.iter().filter(|cell| known.contains(&cell.trim().to_lowercase().as_str())).count()
}

fn inspected(path: &Path, options: &Options) -> Result<Inspection, ReadError> {
    let bytes = std::fs::read(path).unwrap();
    // The corpora are not to be written to, and an inspection puts its file beside the upload.
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("source");
    std::fs::write(&copy, &bytes).unwrap();
    let upload = Upload {
        path: &copy,
        file_name: path.file_name().unwrap().to_str().unwrap(),
        media_type: None,
        valid_utf8: std::str::from_utf8(&bytes).is_ok(),
        size: bytes.len() as u64,
    };
    inspect(&upload, options, &score, &child())
}

fn detected(found: &Inspection) -> Detected {
    Detected {
        format: found.format,
        delimiter: found.delimiter,
        encoding: found.encoding.clone(),
        bom: found.bom,
        sheet: found.sheet.clone(),
        header_row: found.header_row,
        decimal: found.decimal,
        columns: vec![None; found.header.len()],
        header: found.header.clone(),
    }
}

fn all(mut source: Box<dyn RowSource>) -> Result<Rows, ReadError> {
    let (mut row, mut rows) = (RawRow::new(), Rows::new());
    while source.next(&mut row)? {
        let cells = row.cells().map(|(text, kind)| (text.to_owned(), kind)).collect();
        rows.push((row.row_number, cells));
    }
    Ok(rows)
}

/// Header and rows, the whole way through.
fn read(path: &Path, options: &Options) -> Result<(Inspection, Rows), ReadError> {
    let found = inspected(path, options)?;
    let detected = detected(&found);
    let rows = if found.format == Format::Csv {
        all(open_csv(path, &detected)?)?
    } else {
        let folder = tempfile::tempdir().unwrap();
        let spool = folder.path().join("spool");
        convert(path, &detected, &spool, &child(), &AtomicBool::new(false))?;
        assert_eq!(files(folder.path()), std::slice::from_ref(&spool), "only the spool is left");
        all(open_spool(&spool, &detected)?)?
    };
    for (row, sample) in rows.iter().zip(&found.sample) {
        let texts = row.1.iter().map(|(text, _)| text).take(found.header.len());
        assert!(sample.iter().zip(texts).all(|(a, b)| a == b), "{}: sample", path.display());
    }
    Ok((found, rows))
}

fn read_bytes(
    name: &str,
    bytes: &[u8],
    options: &Options,
) -> Result<(Inspection, Rows), ReadError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    read(&path, options)
}

fn code(name: &str, bytes: &[u8]) -> &'static str {
    match read_bytes(name, bytes, &Options::default()) {
        Ok((found, rows)) => panic!("{name} was read: {found:?} {} rows", rows.len()),
        Err(error) => error.code().as_str(),
    }
}

fn texts(rows: &Rows) -> Vec<Vec<&str>> {
    rows.iter().map(|(_, cells)| cells.iter().map(|(text, _)| text.as_str()).collect()).collect()
}

#[test]
fn every_csv_gives_the_cells_of_its_json_twin() {
    for (csvs, jsons) in
        [("csv/spectrum/csvs", "csv/spectrum/json"), ("csv/test-data/csv", "csv/test-data/json")]
    {
        let (Some(csvs), Some(jsons)) = (corpus(csvs), corpus(jsons)) else { return };
        for csv in files(&csvs) {
            let twin = jsons.join(csv.with_extension("json").file_name().unwrap());
            let name = csv.display();
            let result = read(&csv, &Options::default());
            if !twin.exists() {
                // Files that are broken on purpose: the row count or the code may be anything, but
                // the reader must answer.
                println!("{name}: {:?}", result.map(|(_, rows)| rows.len()));
                continue;
            }
            let json: serde_json::Value =
                serde_json::from_str(&std::fs::read_to_string(twin).unwrap()).unwrap();
            let expected: Vec<Vec<String>> = json
                .as_array()
                .unwrap()
                .iter()
                .map(|row| {
                    let cells = row.as_array().map(Vec::as_slice).unwrap_or_default();
                    cells.iter().map(|cell| cell.as_str().unwrap().to_owned()).collect()
                })
                .filter(|row: &Vec<String>| row.iter().any(|cell| !cell.trim().is_empty()))
                .collect();
            if expected.is_empty() {
                // Rows as objects: compared by header below.
                let Ok((found, rows)) = result else { continue };
                for (row, object) in rows.iter().zip(json.as_array().unwrap()) {
                    for (header, (text, _)) in found.header.iter().zip(&row.1) {
                        // The twins do not keep every kind of line end.
                        let text = text.replace("\r\n", "\n");
                        let twin = object[header].as_str().unwrap().replace("\r\n", "\n");
                        assert_eq!(twin, text, "{name} {header}");
                    }
                }
                assert_eq!(rows.len(), json.as_array().unwrap().len(), "{name}");
                continue;
            }
            let (found, rows) = result.unwrap_or_else(|error| panic!("{name}: {error}"));
            let mut table = vec![found.header.clone()];
            table.extend(
                rows.into_iter()
                    .map(|(_, cells)| cells.into_iter().map(|(text, _)| text).collect::<Vec<_>>()),
            );
            assert_eq!(table, expected, "{name}");
        }
    }
}

#[test]
fn every_spreadsheet_gives_rows_or_a_code() {
    let Some(folder) = corpus("spreadsheets") else { return };
    let known = [
        "corrupt_workbook",
        "empty_file",
        "expands_too_large",
        "format_mismatch",
        "parser_crashed",
        "password_protected",
        "too_many_columns",
        "unsupported_format",
    ];
    let mut read_well = 0;
    for path in files(&folder) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        match read(&path, &Options::default()) {
            Ok((found, rows)) => {
                read_well += 1;
                println!("{name}: {} columns, {} rows", found.header.len(), rows.len());
            }
            Err(error) => {
                let code = error.code().as_str();
                println!("{name}: {code}: {error}");
                assert!(known.contains(&code), "{name}: {code}: {error}");
                assert!(!name.starts_with("pass_") || code == "password_protected", "{name}");
            }
        }
    }
    assert!(read_well > 90, "only {read_well} were read");
}

#[test]
fn the_real_file_is_the_same_as_csv_and_as_xls() {
    let Some(folder) = corpus("real") else { return };
    let path =
        |extension| folder.join("Template_File_Medicine_Product_List").with_extension(extension);
    let (csv, csv_rows) = read(&path("csv"), &Options::default()).unwrap();
    let (xls, xls_rows) = read(&path("xls"), &Options::default()).unwrap();
    assert_eq!(csv.header, ["SKU", "Name", "Potency", "Size", "Qty"]);
    assert_eq!((csv.header_row, csv.delimiter), (1, Some(',')));
    assert_eq!(csv.header, xls.header);
    assert_eq!((csv_rows.len(), xls_rows.len()), (2_288, 2_288));
    assert_eq!(texts(&csv_rows), texts(&xls_rows));
    let (_, northwind) = read(&folder.join("northwind_products.csv"), &Options::default()).unwrap();
    assert_eq!(northwind.len(), 40);
}

#[test]
fn empty_files_are_told_apart_from_others() {
    for bytes in [&b""[..], b"\xEF\xBB\xBF", b" \n\t\r\n  ", b"\xFF\xFE", b",,,\n,,\n"] {
        assert_eq!(code("a.csv", bytes), "empty_file", "{bytes:?}");
    }
    assert_eq!(read_bytes("a.csv", b"sku,name\n", &Options::default()).unwrap().1.len(), 0);
}

#[test]
fn the_name_and_the_content_must_agree() {
    assert_eq!(code("a.xlsx", b"sku,name\n1,2\n"), "format_mismatch");
    assert_eq!(code("a.csv", &xlsx(&[("A1", "sku")])), "format_mismatch");
    assert_eq!(code("a.xls", b"<html><table>"), "unsupported_format");
    assert_eq!(code("a.csv", b"%PDF-1.4 \n1 0 obj"), "unsupported_format");
    assert_eq!(code("a.zip", &archive(&[("hello.txt", b"hello")])), "unsupported_format");
    let word = archive(&[("[Content_Types].xml", b"wordprocessingml.document"), ("word/a", b"")]);
    let error = read_bytes("a.xlsx", &word, &Options::default()).unwrap_err();
    assert!(error.to_string().contains("a Word document"), "{error}");
}

#[test]
fn every_dialect_gives_the_same_rows() {
    let table = "sku;name;price\nA1;Käse;1,50\nA2;\"Öl; kalt\";12,25\n";
    let utf16 = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        "\u{FEFF}".encode_utf16().chain(table.encode_utf16()).flat_map(bytes).collect()
    };
    let western: Vec<u8> =
        table.chars().map(|sign| u8::try_from(u32::from(sign)).unwrap()).collect();
    for (bytes, encoding, header_row) in [
        (table.as_bytes().to_vec(), "utf-8", 1),
        (["\u{FEFF}", table].concat().into_bytes(), "utf-8", 1),
        (utf16(u16::to_le_bytes), "utf-16le", 1),
        (utf16(u16::to_be_bytes), "utf-16be", 1),
        (western, "windows-1252", 1),
        (["sep=;\r\n", table].concat().into_bytes(), "utf-8", 2),
        (table.replace('\n', "\r").into_bytes(), "utf-8", 1),
        (["\r\n\r\n", &table.replace('\n', "\r\n")].concat().into_bytes(), "utf-8", 3),
    ] {
        let (found, rows) = read_bytes("a.csv", &bytes, &Options::default()).unwrap();
        assert_eq!(found.encoding.as_deref(), Some(encoding));
        assert_eq!((found.delimiter, found.header_row), (Some(';'), header_row));
        assert_eq!(found.header, ["sku", "name", "price"]);
        assert_eq!(texts(&rows), [["A1", "Käse", "1,50"], ["A2", "Öl; kalt", "12,25"]]);
        assert_eq!(rows[0].0, header_row + 1);
        assert_eq!(serde_json::to_value(found.decimal).unwrap(), "comma");
    }
}

#[test]
fn options_go_before_detection() {
    let options = |pairs: &[(&'static str, &'static str)]| Options::parse(pairs.to_vec()).unwrap();
    let (found, rows) = read_bytes(
        "a.csv",
        b"title; of all\nsku|a;b\n1|2;3\n",
        &options(&[("headerRow", "2"), ("delimiter", ";")]),
    )
    .unwrap();
    assert_eq!(found.header, ["sku|a", "b"]);
    assert_eq!(texts(&rows), [["1|2", "3"]]);
    let missing = read_bytes("a.csv", b"a\n\nb\n", &options(&[("headerRow", "2")])).unwrap_err();
    assert_eq!(missing.code().as_str(), "no_header");
    let bad = read_bytes("a.csv", b"a\n", &options(&[("encoding", "elvish")])).unwrap_err();
    assert_eq!(bad.code().as_str(), "invalid_option");
    let wide = vec!["x"; 1001].join(",");
    assert_eq!(code("a.csv", wide.as_bytes()), "too_many_columns");
}

fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
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

fn one_sheet(rows: &str) -> Vec<u8> {
    let sheet = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
    package(ONE_SHEET, &[("xl/worksheets/sheet1.xml", sheet.as_bytes())])
}

fn inline(place: &str, text: &str) -> String {
    format!("<c r=\"{place}\" t=\"inlineStr\"><is><t>{text}</t></is></c>")
}

/// One row a cell.
fn xlsx(cells: &[(&str, &str)]) -> Vec<u8> {
    let rows: Vec<String> =
        cells.iter().map(|(place, text)| format!("<row>{}</row>", inline(place, text))).collect();
    one_sheet(&rows.concat())
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
        assert_eq!(code("a.xlsx", &lie(count)), "corrupt_workbook", "{count}");
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
    // A row that takes 12 MB of memory and more while it grows.
    let wide: String = ["A2", "B2", "C2", "D2", "E2", "F2", "G2", "H2", "I2", "J2", "K2", "L2"]
        .map(|place| inline(place, &"x".repeat(1_000_000)))
        .concat();
    let rows = format!("<row>{}</row><row>{wide}</row>", inline("A1", "sku"));
    std::fs::write(&path, one_sheet(&rows)).unwrap();
    let found = inspected(&path, &Options::default()).unwrap();
    let detected = detected(&found);
    let spool = folder.path().join("spool");
    let run = |child: &Child, stop: bool| {
        convert(&path, &detected, &spool, child, &AtomicBool::new(stop)).unwrap_err()
    };
    let small = Child { memory_bytes: 24 << 20, ..child() };
    assert_eq!(run(&small, false).code().as_str(), "parser_crashed");
    let hurried = Child { wall_seconds: 0, ..child() };
    assert_eq!(run(&hurried, false).code().as_str(), "parser_timeout");
    assert!(matches!(run(&child(), true), ReadError::Stopped));
    let absent = Child { program: "/nonexistent/loadbay".into(), ..child() };
    assert_eq!(run(&absent, false).code().as_str(), "source_unreadable");
    assert!(!spool.exists());
}

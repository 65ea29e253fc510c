//! Goal: whatever file comes in, the reader gives its rows or one of the documented codes, and its
//! own process lives. Method: public collections of ordinary and broken files, whole, where they lie
//! beside the project, files of our own in the same shapes, and hostile workbooks made here.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use futures_util::FutureExt;
use loadbay::domain::detected::{DecimalSeparator, Detected, Format};
use loadbay::domain::known_header::{KnownColumn, KnownHeader};
use loadbay::domain::options::Options;
use loadbay::domain::row::{CellKind, RawRow};
use loadbay::reader::{
    Child, Inspection, ReadError, ReadPermit, RowSource, Upload, convert, inspect, open,
};

use tokio::sync::Semaphore;

pub(crate) mod binary_sheets;
mod containers;
mod refused;
mod spreadsheets;
pub(crate) mod workbooks;

use refused::{ODD, read_or_refused};
use workbooks::{archive, xlsx};

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

/// A part of our own files.
fn own(part: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(part)
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
        slots: Arc::new(Semaphore::new(1)),
    }
}

/// For a workbook or for text; the child is new and its slot free.
fn permit(child: &Child) -> ReadPermit {
    child.permit(true).now_or_never().unwrap()
}

fn know(cells: &[&str]) -> KnownHeader {
    let known = ["sku", "name", "price", "qty", "a", "b", "c"];
    let column = |cell: &&str| {
        let index = known.iter().position(|name| *name == cell.trim().to_lowercase())?;
        Some(KnownColumn { index, is_required: false })
    };
    KnownHeader { cells: cells.iter().map(column).collect(), is_complete: false }
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
    inspect(&upload, options, None, &know, &permit(&child()), &AtomicBool::new(false))
}

fn detected(found: &Inspection) -> Detected {
    Detected {
        format: found.format,
        delimiter: found.delimiter,
        quote: found.quote,
        escape: found.escape,
        encoding: found.encoding.clone(),
        bom: found.bom,
        encoding_guessed: found.encoding_samples.is_some(),
        encoding_samples: found.encoding_samples.clone().unwrap_or_default(),
        sheet: found.sheet.clone(),
        header_row: found.header_row,
        decimal: DecimalSeparator::Undeclared,
        dates: None,
        columns: vec![None; found.header.len()],
        header: found.header.clone(),
        meet: found.meet.clone(),
    }
}

fn cells(row: &RawRow) -> Cells {
    row.cells().map(|(text, kind)| (text.to_owned(), kind)).collect()
}

fn all(mut source: Box<dyn RowSource>) -> Result<Rows, ReadError> {
    let (mut row, mut rows) = (RawRow::new(), Rows::new());
    while source.next(&mut row)? {
        rows.push((row.row_number.get(), cells(&row)));
    }
    Ok(rows)
}

/// Header and rows, the whole way through.
fn read(path: &Path, options: &Options) -> Result<(Inspection, Rows), ReadError> {
    let found = inspected(path, options)?;
    let detected = detected(&found);
    let rows = if matches!(found.format, Format::Csv | Format::Ndjson | Format::Dsv) {
        all(open(path, &detected)?)?
    } else {
        let folder = tempfile::tempdir().unwrap();
        let spool = folder.path().join("spool");
        convert(path, &detected, &spool, &permit(&child()), &AtomicBool::new(false))?;
        assert_eq!(files(folder.path()), std::slice::from_ref(&spool), "only the spool is left");
        all(open(&spool, &detected)?)?
    };
    let sample: Rows = found.sample.iter().map(|row| (row.row_number.get(), cells(row))).collect();
    assert!(rows.starts_with(&sample), "{}: the inspection saw other rows", path.display());
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

/// Asserts that header and rows are those of a twin: an array of rows, or of objects by header.
fn assert_twin(name: &str, twin: &Path, found: &Inspection, rows: &Rows) {
    // The twins do not keep every kind of line end.
    let plain = |text: &str| text.replace("\r\n", "\n");
    let json: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(twin).unwrap()).unwrap();
    let json = json.as_array().unwrap();
    if json.first().is_some_and(serde_json::Value::is_array) {
        let expected: Vec<Vec<&str>> = json
            .iter()
            .map(|row| row.as_array().unwrap().iter().map(|cell| cell.as_str().unwrap()).collect())
            .filter(|row: &Vec<&str>| row.iter().any(|cell| !cell.trim().is_empty()))
            .collect();
        let mut table: Vec<Vec<&str>> = vec![found.header.iter().map(String::as_str).collect()];
        table.extend(texts(rows));
        assert_eq!(table, expected, "{name}");
        return;
    }
    assert_eq!(rows.len(), json.len(), "{name}");
    for (row, object) in rows.iter().zip(json) {
        for (header, (text, _)) in found.header.iter().zip(&row.1) {
            let twin = object[header].as_str().unwrap_or_else(|| panic!("{name}: no {header}"));
            assert_eq!(plain(twin), plain(text), "{name} {header}");
        }
    }
}

#[test]
fn every_text_gives_the_cells_of_its_json_twin() {
    let shared =
        [("csv/spectrum/csvs", "csv/spectrum/json"), ("csv/test-data/csv", "csv/test-data/json")];
    let shared = shared.into_iter().filter_map(|it| Some((corpus(it.0)?, corpus(it.1)?)));
    for (folder, twins) in shared.chain([(own("corpus/files"), own("corpus/twins"))]) {
        for path in files(&folder) {
            let name = path.file_name().unwrap().to_str().unwrap();
            let result = read(&path, &Options::default());
            let Some((found, rows)) = read_or_refused(name, result) else { continue };
            let twin = twins.join(path.with_extension("json").file_name().unwrap());
            if twin.exists() {
                assert_twin(name, &twin, &found, &rows);
                continue;
            }
            let odd = ODD.iter().find(|(odd, ..)| *odd == name);
            let (_, expected, why) = odd.unwrap_or_else(|| panic!("{name} has no twin"));
            assert_eq!(rows.len(), *expected, "{name}: {why}");
        }
    }
}

/// Asserts that a workbook is read, or refused when it must be; true when it was read.
fn is_read(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_str().unwrap();
    let Some((found, rows)) = read_or_refused(name, read(path, &Options::default())) else {
        return false;
    };
    println!("{name}: {} columns, {} rows", found.header.len(), rows.len());
    true
}

#[test]
fn every_spreadsheet_is_read_but_those_that_must_be_refused() {
    let endings = ["xls", "xlsx", "xlsb", "ods"];
    let is_workbook = |path: &PathBuf| {
        path.extension().is_some_and(|ending| endings.iter().any(|it| ending == *it))
    };
    let own_files = files(&own("reports")).into_iter().filter(is_workbook);
    assert_eq!(own_files.filter(|path| is_read(path)).count(), 36);
    let (found, rows) = read(&own("products.xls"), &Options::default()).unwrap();
    assert_eq!((found.header.len(), rows.len()), (6, 3));
    assert_eq!(texts(&rows)[0][..2], ["X-1", "Arnica"]);

    let Some(folder) = corpus("spreadsheets") else { return };
    let read_well = files(&folder).iter().filter(|path| is_read(path)).count();
    assert!(read_well > 90, "only {read_well} were read");
}

#[test]
fn a_list_is_the_same_as_csv_and_as_a_workbook() {
    let (csv, csv_rows) = read(&own("medicine_list.csv"), &Options::default()).unwrap();
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    let header = csv.header.iter().map(String::as_str).collect();
    for (place, row) in (0..).zip(std::iter::once(header).chain(texts(&csv_rows))) {
        sheet.write_row(place, 0, row).unwrap();
    }
    let bytes = book.save_to_buffer().unwrap();
    let (xlsx, xlsx_rows) = read_bytes("list.xlsx", &bytes, &Options::default()).unwrap();
    assert_eq!(csv.header, ["SKU", "Name", "Potency", "Size", "Qty"]);
    assert_eq!(csv.header, xlsx.header);
    assert_eq!(csv_rows.len(), 24);
    assert_eq!(texts(&csv_rows), texts(&xlsx_rows));
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

//! Files that are refused for what they are: empty, of another kind, protected, unreadable.

use std::io::{Cursor, Write};

use rust_xlsxwriter::Workbook;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::forms::{GOOD, assert_nothing_left, assert_refused, corpus};
use crate::support::{Kind, Server, Upload};

fn archive(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in entries {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn workbook() -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write_row(0, 0, ["SKU", "Name"]).unwrap();
    sheet.write_row(1, 0, ["A-1", "Arnica"]).unwrap();
    book.save_to_buffer().unwrap()
}

#[tokio::test]
async fn an_empty_file_is_refused() {
    let server = Server::start(Kind::Sqlite).await;
    for empty in [
        &b""[..],
        b"\xEF\xBB\xBF",
        b"\xFF\xFE",
        b"\r\n \t\n\n",
        b"\xEF\xBB\xBF \r\n",
        b",,,\n,,,\n",
    ] {
        for upload in [Upload::file("p.csv", empty), Upload::file("p.csv", empty).raw()] {
            let answer = server.upload("products", upload).await;
            assert_refused(&answer, 422, "empty_file", &["empty", "header"]);
            assert_nothing_left(&server).await;
        }
    }
    let mut book = Workbook::new();
    book.add_worksheet();
    let upload = Upload::file("p.xlsx", book.save_to_buffer().unwrap());
    let answer = server.upload("products", upload).await;
    assert_refused(&answer, 422, "empty_file", &["visible sheet"]);
    assert_nothing_left(&server).await;
}

#[tokio::test]
async fn content_of_another_kind_is_refused_by_its_name() {
    let server = Server::start(Kind::Sqlite).await;
    let types = "<Types><Override PartName=\"/word/document.xml\" ContentType=\"application/\
                 vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml\"/></Types>";
    let docx = [("[Content_Types].xml", types), ("word/document.xml", "<w:document/>")];
    let xml = "<?xml version=\"1.0\"?>\n<Workbook \
               xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\"></Workbook>";
    let kinds: [(&str, Vec<u8>, &str); 7] = [
        ("p.csv", b"%PDF-1.7\n%\xE2\xE3\xCF\xD3\n".to_vec(), "a PDF document"),
        ("p.xlsx", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(), "a PNG image"),
        ("p.ods", archive(&[("products.csv", GOOD)]), "a ZIP archive"),
        ("p.xlsx", archive(&docx), "Word"),
        ("p.xls", b"<html><body><table><tr><td>SKU</td></tr></table>".to_vec(), "HTML"),
        ("p.xls", xml.into(), "Excel 2003"),
        ("p.csv", (0..=255_u8).cycle().take(9000).collect(), "binary"),
    ];
    for (name, bytes, found) in kinds {
        let answer = server.upload("products", Upload::file(name, bytes)).await;
        assert_refused(&answer, 415, "unsupported_format", &[found, ".csv"]);
        assert_nothing_left(&server).await;
    }
}

#[tokio::test]
async fn a_name_or_media_type_that_lies_is_refused_with_both_sides() {
    let server = Server::start(Kind::Sqlite).await;
    let xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    for (upload, words) in [
        (Upload::file("p.xlsx", GOOD), ["`p.xlsx`", "XLSX", "CSV"]),
        (Upload::file("p.xls", GOOD), ["`p.xls`", "XLS", "CSV"]),
        (Upload::file("p.csv", workbook()), ["`p.csv`", "CSV", "XLSX"]),
        (Upload::file("p.ods", workbook()), ["`p.ods`", "ODS", "XLSX"]),
        (Upload::file("p", GOOD).media_type(xlsx), [xlsx, "XLSX", "CSV"]),
        (Upload::file("p", workbook()).raw().media_type("text/csv"), ["`text/csv`", "CSV", "XLSX"]),
    ] {
        let answer = server.upload("products", upload).await;
        assert_refused(&answer, 415, "format_mismatch", &words);
        assert_nothing_left(&server).await;
    }
}

/// An encrypted workbook whose password is not the one that spreadsheet programs try by themselves:
/// the hash that a password is compared with is another one.
fn protected() -> Vec<u8> {
    let mut bytes = include_bytes!("../../fixtures/reports/44-default-password.xlsx").to_vec();
    let attribute = b"encryptedVerifierHashValue=\"";
    let found = bytes.windows(attribute.len()).position(|window| window == attribute);
    let digit = &mut bytes[found.expect("the attribute is there") + attribute.len()];
    *digit = if *digit == b'A' { b'B' } else { b'A' };
    bytes
}

#[tokio::test]
async fn a_protected_workbook_is_refused() {
    let server = Server::start(Kind::Sqlite).await;
    let own = protected();
    let shared = ["pass_protected.xlsx", "pass_protected.xlsb", "pass_protected.ods"];
    let shared = shared.into_iter().filter_map(|name| Some((name, corpus(name)?)));
    for (name, bytes) in [("protected.xlsx", own)].into_iter().chain(shared) {
        let answer = server.upload("products", Upload::file(name, bytes)).await;
        assert_refused(&answer, 422, "password_protected", &["password"]);
        assert_nothing_left(&server).await;
    }
}

#[tokio::test]
async fn a_damaged_workbook_is_refused() {
    let server = Server::start(Kind::Sqlite).await;
    let whole = workbook();
    let cut = whole[..whole.len() / 2].to_vec();
    let hollow = archive(&[("xl/workbook.xml", "<workbook"), ("[Content_Types].xml", "")]);
    for bytes in [cut, hollow] {
        let answer = server.upload("products", Upload::file("p.xlsx", bytes)).await;
        assert_refused(&answer, 422, "corrupt_workbook", &["damaged"]);
        assert_nothing_left(&server).await;
    }
}

#[tokio::test]
async fn a_sheet_that_is_not_there_is_refused_with_those_that_are() {
    let server = Server::start(Kind::Sqlite).await;
    let upload = Upload::file("p.xlsx", workbook()).option("sheet", "Prices");
    let answer = server.upload("products", upload).await;
    assert_refused(&answer, 422, "no_such_sheet", &["`Prices`", "`Sheet1`"]);
    assert_nothing_left(&server).await;
}

#[tokio::test]
async fn text_of_an_unknown_encoding_is_refused() {
    let server = Server::start(Kind::Sqlite).await;
    let utf32 = [&b"\xFF\xFE\0\0"[..], b"S\0\0\0K\0\0\0"].concat();
    let answer = server.upload("products", Upload::file("p.csv", utf32)).await;
    assert_refused(&answer, 422, "encoding_unknown", &["UTF-32"]);
    let answer = server.upload("products", Upload::csv(GOOD).option("encoding", "klingon")).await;
    assert_refused(&answer, 400, "invalid_option", &["`klingon`", "utf-8"]);
    assert_nothing_left(&server).await;
}

//! Workbooks that mean harm: refused with a code, and the server lives on in little memory.

use std::io::{Cursor, Write};

use rust_xlsxwriter::Workbook;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use super::products::{corpus, fixture};
use super::workbooks::{HEADER, sheet};
use crate::support::{Answer, Kind, Server, Upload};

/// The server's own memory may grow by so much over all of a test's uploads, in KiB.
const GROWTH_KIB: u64 = 64 << 10;

/// The part with the only sheet.
pub(crate) const SHEET: &str = "xl/worksheets/sheet1.xml";

/// Peak resident memory of the server in KiB.
fn peak(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.process_id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

async fn start() -> Server {
    let settings = [("LOADBAY_CONVERT_MEMORY", "256MiB"), ("LOADBAY_CONVERT_TIMEOUT", "60s")];
    Server::start_with(Kind::Sqlite, &settings).await
}

/// A good workbook in which one part is replaced.
pub(crate) fn forged(part: &str, content: &mut dyn FnMut(&mut dyn Write)) -> Vec<u8> {
    let mut book = Workbook::new();
    sheet(&mut book, "Products", &[HEADER, ["A", "Arnica"]]);
    let whole = book.save_to_buffer().unwrap();
    let mut source = ZipArchive::new(Cursor::new(whole)).unwrap();
    let mut target = ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..source.len() {
        let entry = source.by_index_raw(index).unwrap();
        if entry.name().unwrap() == part {
            target.start_file(part, SimpleFileOptions::default()).unwrap();
            content(&mut target);
        } else {
            target.raw_copy_file(entry).unwrap();
        }
    }
    target.finish().unwrap().into_inner()
}

/// Uploads, waits for the end, and gives the code of the refusal or of the failed job.
async fn outcome(server: &Server, name: &str, bytes: Vec<u8>) -> String {
    let answer: Answer = server.upload("products", Upload::file(name, bytes)).await;
    if answer.status != 202 {
        assert!([413, 415, 422].contains(&answer.status), "{}", answer.text());
        return answer.code().to_owned();
    }
    let job = server.finished(answer.data()["jobId"].as_i64().unwrap()).await;
    match job["errorCode"].as_str() {
        Some(code) => code.to_owned(),
        None => job["status"].as_str().unwrap().to_owned(),
    }
}

/// The server answers, works, and has not grown.
async fn assert_unharmed(server: &mut Server, before: u64) {
    server.get("/healthz").await.ok();
    let good = server.load("products", Upload::csv("SKU,Name\nZ,Zincum\n")).await;
    assert_eq!(good["status"], "completed");
    let grown = peak(server).saturating_sub(before);
    assert!(grown < GROWTH_KIB, "the server grew by {grown} KiB");
    server.check_every_job().await;
}

#[tokio::test]
async fn a_sheet_that_inflates_without_end_is_refused() {
    let mut server = start().await;
    let before = peak(&server);
    let head = "<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\">\
                <sheetData><row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>";
    let bomb = forged(SHEET, &mut |part| {
        part.write_all(head.as_bytes()).unwrap();
        let spaces = vec![b'x'; 1 << 20];
        (0..64).for_each(|_| part.write_all(&spaces).unwrap());
    });
    assert!(bomb.len() < 200_000);
    let code = outcome(&server, "bomb.xlsx", bomb).await;
    assert!(["expands_too_large", "corrupt_workbook"].contains(&code.as_str()), "{code}");
    assert_unharmed(&mut server, before).await;
}

#[tokio::test]
async fn a_string_table_that_inflates_without_end_is_refused() {
    let mut server = start().await;
    let before = peak(&server);
    let bomb = forged("xl/sharedStrings.xml", &mut |part| {
        part.write_all(b"<sst count=\"9\" uniqueCount=\"9\">").unwrap();
        let strings = format!("<si><t>{}</t></si>", "x".repeat(1000)).repeat(1000);
        (0..400).for_each(|_| part.write_all(strings.as_bytes()).unwrap());
    });
    let code = outcome(&server, "bomb.xlsx", bomb).await;
    // On a busy machine the time of the reader is up before its memory is full.
    assert!(["expands_too_large", "parser_timeout"].contains(&code.as_str()), "{code}");
    assert_unharmed(&mut server, before).await;
}

#[tokio::test]
async fn a_string_table_that_lies_about_its_size_does_no_harm() {
    let mut server = start().await;
    let before = peak(&server);
    for count in ["4294967295", "18446744073709551615", "-1", "many"] {
        let lie = forged("xl/sharedStrings.xml", &mut |part| {
            let table = format!(
                "<sst xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" \
                 count=\"{count}\" uniqueCount=\"{count}\"><si><t>SKU</t></si><si><t>Name</t></si>\
                 <si><t>A</t></si><si><t>Arnica</t></si></sst>"
            );
            part.write_all(table.as_bytes()).unwrap();
        });
        let code = outcome(&server, "lie.xlsx", lie).await;
        let known = ["completed", "expands_too_large", "corrupt_workbook", "parser_crashed"];
        assert!(known.contains(&code.as_str()), "{count}: {code}");
    }
    assert_unharmed(&mut server, before).await;
}

#[tokio::test]
async fn entities_and_far_cells_and_wrong_indexes_do_no_harm() {
    let mut server = start().await;
    let before = peak(&server);
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let laughs = "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\"><!ENTITY c SYSTEM \
                  \"file:///etc/passwd\">]>";
    let cell = |reference: &str, rest: &str| {
        format!(
            "<worksheet xmlns=\"{main}\"><dimension ref=\"A1:XFD1048576\"/><sheetData><row r=\"1\">\
             <c r=\"{reference}\" t=\"{rest}</c></row></sheetData></worksheet>"
        )
    };
    for text in [
        format!("{laughs}{}", cell("A1", "inlineStr\"><is><t>&b;&c;</t></is>")),
        cell("A1", "s\"><v>4000000000</v>"),
        cell("XFE1", "inlineStr\"><is><t>SKU</t></is>"),
        cell("A99999999999", "inlineStr\"><is><t>SKU</t></is>"),
        cell("ZZZZZZZZZZ1", "inlineStr\"><is><t>SKU</t></is>"),
    ] {
        let forged = forged(SHEET, &mut |part| part.write_all(text.as_bytes()).unwrap());
        let answer = server.upload("products", Upload::file("p.xlsx", forged)).await;
        assert_eq!(answer.status, 422, "{text}: {}", answer.text());
        assert!(!answer.text().contains("root:"));
    }
    assert_unharmed(&mut server, before).await;
}

#[tokio::test]
async fn an_archive_of_too_many_parts_is_refused() {
    let mut server = start().await;
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for n in 0..5000 {
        zip.start_file(format!("xl/{n}.xml"), SimpleFileOptions::default()).unwrap();
    }
    let bytes = zip.finish().unwrap().into_inner();
    assert_eq!(outcome(&server, "parts.xlsx", bytes).await, "expands_too_large");
    server.check_every_job().await;
}

#[tokio::test]
async fn workbooks_that_make_their_reader_abort_only_end_themselves() {
    let mut server = start().await;
    let before = peak(&server);
    // Where the header of the container says that the directory begins.
    let mut astray = fixture("products.xls");
    astray[48..52].copy_from_slice(&0x00FF_FFFF_u32.to_le_bytes());
    assert_eq!(outcome(&server, "astray.xls", astray).await, "corrupt_workbook");
    for name in ["OOM_alloc.xls", "OOM_alloc2.xls", "OOM_alloc3.xls", "issue_666_panic.xlsb"] {
        let Some(bytes) = corpus(name) else { continue };
        let answer = server.upload("products", Upload::file(name, bytes)).await;
        assert!([415, 422].contains(&answer.status), "{name}: {}", answer.text());
        assert!(!answer.code().is_empty(), "{name}");
    }
    assert_unharmed(&mut server, before).await;
}

#[tokio::test]
async fn random_damage_never_harms_the_server() {
    let mut server = start().await;
    let mut book = Workbook::new();
    sheet(&mut book, "Products", &[HEADER, ["A", "Arnica"], ["B", "Belladonna"]]);
    let whole = book.save_to_buffer().unwrap();
    // A fixed sequence: the same damage in every run.
    let mut state = 88_172_645_463_325_252_u64;
    for _ in 0..12 {
        let mut bytes = whole.clone();
        for _ in 0..20 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let place = usize::try_from(state % bytes.len() as u64).unwrap();
            bytes[place] ^= u8::try_from(state >> 56).unwrap() | 1;
        }
        outcome(&server, "damaged.xlsx", bytes).await;
    }
    server.check_every_job().await;
}

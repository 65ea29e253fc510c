//! Clients that go away before the answer.

use std::io::{Cursor, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rust_xlsxwriter::Workbook;
use rustix::process::{Pid, Signal, kill_process};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use crate::support::{Kind, Server, before_the_next_look, wait_until};
use crate::upload::forms::{assert_nothing_left, connect};

const LIMIT: Duration = Duration::from_secs(30);

/// Sends a body of which `length` bytes are announced. Some of the server's words are left unread,
/// so that the connection is reset when it is dropped.
fn send(server: &Server, length: usize, body: &[u8]) -> TcpStream {
    let mut stream = connect(server);
    let head = format!(
        "POST /api/v1/import/products/preview?fileName=p.xlsx HTTP/1.1\r\nHost: localhost\r\n\
         Expect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut start = [0; 12];
    stream.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 100");
    stream.write_all(body).unwrap();
    stream
}

/// A workbook with so many blank rows before its second row that looking for it takes long.
fn slow_workbook() -> Vec<u8> {
    let mut book = Workbook::new();
    book.add_worksheet().write_row(0, 0, ["SKU", "Name"]).unwrap();
    let whole = book.save_to_buffer().unwrap();
    let mut source = ZipArchive::new(Cursor::new(whole)).unwrap();
    let mut target = ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..source.len() {
        let entry = source.by_index_raw(index).unwrap();
        if entry.name().unwrap() == "xl/worksheets/sheet1.xml" {
            target.start_file("xl/worksheets/sheet1.xml", SimpleFileOptions::default()).unwrap();
            target
                .write_all(
                    b"<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\">\
                      <sheetData><row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>SKU</t></is></c></row>",
                )
                .unwrap();
            for row in 2..=400_000 {
                let blank = format!(
                    "<row r=\"{row}\"><c r=\"A{row}\" t=\"inlineStr\"><is><t> </t></is></c></row>"
                );
                target.write_all(blank.as_bytes()).unwrap();
            }
            target.write_all(b"</sheetData></worksheet>").unwrap();
        } else {
            target.raw_copy_file(entry).unwrap();
        }
    }
    target.finish().unwrap().into_inner()
}

/// The processes that the server has started and that still are there.
fn children(server: &Server) -> Vec<Pid> {
    let tasks = format!("/proc/{}/task", server.process_id());
    let tasks = std::fs::read_dir(tasks).unwrap().map(|task| task.unwrap().path());
    let lists = tasks.filter_map(|task| std::fs::read_to_string(task.join("children")).ok());
    let numbers = lists.flat_map(|list| {
        list.split_whitespace().map(|number| number.parse().unwrap()).collect::<Vec<i32>>()
    });
    numbers.filter_map(Pid::from_raw).collect()
}

/// True once the process runs the program that reads workbooks: one that is stopped before would
/// hold the server, which waits for its start.
fn reads_a_workbook(child: Pid) -> bool {
    let line = std::fs::read(format!("/proc/{}/cmdline", child.as_raw_nonzero()));
    line.is_ok_and(|line| line.split(|byte| *byte == 0).any(|word| word == b"convert"))
}

#[tokio::test]
async fn half_a_body_leaves_nothing() {
    let server = Server::start(Kind::Sqlite).await;
    drop(send(&server, 1 << 20, &vec![b'x'; 300 << 10]));
    assert_nothing_left(&server).await;
}

#[tokio::test]
async fn a_workbook_that_nobody_waits_for_is_not_read_further() {
    let server = Server::start(Kind::Sqlite).await;
    let workbook = slow_workbook();
    let stream = send(&server, workbook.len(), &workbook);
    let limit = Instant::now() + LIMIT;
    let child = loop {
        if let Some(child) = children(&server).into_iter().find(|it| reads_a_workbook(*it)) {
            break child;
        }
        assert!(Instant::now() < limit, "no child process was started");
        before_the_next_look().await;
    };
    // From here on the child would take for ever.
    kill_process(child, Signal::STOP).unwrap();
    drop(stream);
    wait_until!(children(&server).is_empty(), "the child process still is there");
    assert_nothing_left(&server).await;
}

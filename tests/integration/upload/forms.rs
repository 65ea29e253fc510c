//! Requests written by hand, where a client library would be too well-behaved.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::time::Duration;

use reqwest::Method;

use crate::support::{Answer, Server, wait_until};

pub(crate) const PATH: &str = "/api/v1/import/products";
pub(crate) const GOOD: &str = "SKU,Name\nA-1,Arnica\n";
const BOUNDARY: &str = "a-boundary";

/// A part of a form: what follows `form-data; ` in its `Content-Disposition`, and its body.
pub(crate) type Part<'a> = (&'a str, &'a [u8]);

/// A form of these parts, whole.
pub(crate) fn form(parts: &[Part<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    for (disposition, content) in parts {
        let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

/// Sends `body` as a form.
pub(crate) async fn send_form(server: &Server, body: Vec<u8>) -> Answer {
    send_as(server, &format!("multipart/form-data; boundary={BOUNDARY}"), body).await
}

/// Sends `body` under a media type.
pub(crate) async fn send_as(server: &Server, media_type: &str, body: Vec<u8>) -> Answer {
    let request = server.request(Method::POST, PATH);
    server.send(request.header("content-type", media_type).body(body)).await
}

/// Sends bytes as they are, ends the sending side, and gives all that comes back.
pub(crate) fn send_bytes(server: &Server, bytes: &[u8]) -> String {
    let mut stream = connect(server);
    stream.write_all(bytes).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    // The server may close before it has read everything: then what came is the answer.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// A connection to the server that waits for at most half a minute.
pub(crate) fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.address().trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

/// The start of a raw upload of CSV, up to the line before the blank one.
pub(crate) fn raw_head(extra: &str) -> String {
    format!("POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\n{extra}\r\n\r\n")
}

/// No job is stored, and no file lies in the data folder: refused means that nothing happened.
pub(crate) async fn assert_nothing_left(server: &Server) {
    assert_eq!(server.database.number("select count(*) from import_log").await, 0);
    assert_left(server, 0).await;
}

/// So many uploads are kept, and nothing that is unfinished. What is not needed is removed after the
/// answer, so this waits for it.
pub(crate) async fn assert_left(server: &Server, uploads: usize) {
    let left = || (entries(server, "uploads").len(), entries(server, "tmp"));
    wait_until!(
        left() == (uploads, Vec::new()),
        "uploads and unfinished files: {:?}, {uploads} uploads are right",
        left()
    );
}

/// What lies in a folder of the data folder.
pub(crate) fn entries(server: &Server, folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(server.data_dir().join(folder)).unwrap();
    entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

/// Asserts a refusal whose detail says all of `words`.
#[track_caller]
pub(crate) fn assert_refused(answer: &Answer, status: u16, code: &str, words: &[&str]) {
    answer.assert_problem(status, code);
    let detail = answer.json["detail"].as_str().unwrap();
    for word in words {
        assert!(detail.contains(word), "the detail does not say `{word}`: {detail}");
    }
}

/// A file of the collected spreadsheets; none where that folder is missing.
pub(crate) fn corpus(name: &str) -> Option<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpora/spreadsheets");
    let found = std::fs::read(Path::new(folder).join(name)).ok();
    if found.is_none() {
        eprintln!("skipped: {folder}/{name} is not there");
    }
    found
}
